# Read by the other scripts here: the real Claude Code from npm, in a folder of its own, and a stand-in for the API on this
# machine. Sets `lab`, `claude`, `swift` and `scene`; says "skipped" and ends with 0 where node or npm is not to be had.
#
# here=…; folder=…; stand_in=…; . "$here/lab.sh"

version=2.1.329
root=$(dirname "$(dirname "$here")")
lab=${folder:-${TMPDIR:-/tmp}/swift-real-claude}
skip() { echo "skipped: $1"; exit 0; }

command -v node >/dev/null || skip "there is no node"
command -v npm >/dev/null || skip "there is no npm"
mkdir -p "$lab" || exit 1
lab=$(CDPATH= cd -- "$lab" && pwd)
claude=$lab/npm/bin/claude
if [ ! -x "$claude" ]; then
    # Asked first, because an installation that cannot reach anything tries for minutes.
    npm view --fetch-retries=0 --fetch-timeout=20000 "@anthropic-ai/claude-code@$version" version >"$lab/npm.log" 2>&1 ||
        skip "npm does not reach @anthropic-ai/claude-code ($lab/npm.log)"
    npm install --global --prefix "$lab/npm" --no-fund --no-audit "@anthropic-ai/claude-code@$version" >"$lab/npm.log" 2>&1 ||
        skip "npm cannot install @anthropic-ai/claude-code ($lab/npm.log)"
fi
"$claude" --version >/dev/null 2>&1 || skip "the claude that npm installed does not start"

swift=${SWIFT:-${CARGO_TARGET_DIR:-$root/target}/debug/swift}
[ -x "$swift" ] || (cd "$root" && cargo build --quiet) || exit 1

scene=$(mktemp -d "$lab/scene.XXXXXX")
mkdir -p "$scene/home" "$scene/tmp" "$scene/bin"
: >"$scene/requests"
printf '[user]\n\tname = Ada Example\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n' >"$scene/home/.gitconfig"
node "$here/$stand_in" "$scene/port" "$scene/requests" &
api=$!
trap 'kill $api 2>/dev/null; rm -rf "$scene"' EXIT
tries=0
while [ ! -s "$scene/port" ]; do
    tries=$((tries + 1))
    [ $tries -gt 100 ] && { echo "the stand-in for the API does not start"; exit 1; }
    sleep 0.1
done
url=http://127.0.0.1:$(cat "$scene/port")
