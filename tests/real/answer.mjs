// A loopback stand-in for the Messages API that says `ok` to everything and keeps what it was asked.
//
// node answer.mjs <file to write the port to> <file for the requests, one JSON body a line>

import { createServer } from "node:http";
import { appendFileSync, renameSync, writeFileSync } from "node:fs";

const [portFile, logFile] = process.argv.slice(2);
const usage = { input_tokens: 1, output_tokens: 1 };
const message = (model) => ({ id: "msg_1", type: "message", role: "assistant", model, content: [], stop_reason: null, stop_sequence: null, usage });

const server = createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    if (request.method !== "POST" || !request.url.startsWith("/v1/messages")) return response.writeHead(404).end();
    appendFileSync(logFile, `${body.replaceAll("\n", " ")}\n`);
    const { model, stream } = JSON.parse(body);
    const content = [{ type: "text", text: "ok" }];
    if (!stream) {
      response.writeHead(200, { "content-type": "application/json" });
      return response.end(JSON.stringify({ ...message(model), content, stop_reason: "end_turn" }));
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (event) => response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    send({ type: "message_start", message: message(model) });
    send({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
    send({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "ok" } });
    send({ type: "content_block_stop", index: 0 });
    send({ type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage });
    send({ type: "message_stop" });
    response.end();
  });
});

server.listen(0, "127.0.0.1", () => {
  writeFileSync(`${portFile}.new`, String(server.address().port));
  renameSync(`${portFile}.new`, portFile);
});
