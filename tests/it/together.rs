//! Many processes at the same moment: races as they happen to people.

use std::sync::Barrier;
use std::thread;

use crate::sandbox::{Arguments, Call, Output, Place};

/// Run `swift` `count` times at once in one folder; `args` gives the arguments of each.
pub(crate) fn processes<A: Arguments>(
    place: &Place<'_>,
    count: usize,
    args: impl Fn(usize) -> A,
) -> Vec<Output> {
    together((0..count).map(|i| place.call(args(i))).collect())
}

/// Start prepared programs at once, in whatever folders they are; outputs in the order of the calls.
pub(crate) fn together(calls: Vec<Call<'_>>) -> Vec<Output> {
    let barrier = Barrier::new(calls.len());
    thread::scope(|scope| {
        let start = |call: Call<'_>| {
            barrier.wait();
            call.run()
        };
        let running: Vec<_> = calls.into_iter().map(|call| scope.spawn(move || start(call))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Sandbox;

    #[test]
    fn one_of_eight_makes_the_folder() {
        let sandbox = Sandbox::new();
        let root = sandbox.root();
        let outputs = together((0..8).map(|_| root.program("mkdir", "prize")).collect());
        assert_eq!(outputs.iter().filter(|output| output.status == 0).count(), 1);
        assert_eq!(outputs.len(), 8);
    }

    #[test]
    fn processes_wait_for_each_other() {
        let sandbox = Sandbox::new();
        let root = sandbox.root();
        root.program("mkfifo", "pipe").run().ok();
        // Each of the two opens its end only when the other one runs too.
        let outputs =
            together(vec![root.program("sh", ["-c", "echo hello > pipe"]), root.program("cat", "pipe")]);
        assert_eq!(outputs[1].stdout, "hello\n");
    }

    #[test]
    fn each_process_has_its_own_arguments() {
        let sandbox = Sandbox::new();
        let outputs =
            processes(&sandbox.root(), 3, |i| ["--version", &i.to_string()].map(str::to_owned).to_vec());
        let shown: Vec<_> = outputs.iter().map(|output| output.shown.as_str()).collect();
        assert_eq!(shown, ["swift --version 0", "swift --version 1", "swift --version 2"]);
    }
}
