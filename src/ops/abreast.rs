//! The same work on several things at once, as many as the machine has processors for.

use std::sync::{Mutex, PoisonError};

/// At most so many threads, because they share one disk.
const MOST: usize = 8;

/// Do `work` on every part; the results come in the order of the parts.
pub(crate) fn abreast<P: Send, R: Send>(parts: Vec<P>, work: impl Fn(P) -> R + Sync) -> Vec<R> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(MOST).min(parts.len());
    if threads < 2 {
        return parts.into_iter().map(work).collect();
    }
    let waiting = Mutex::new(parts.into_iter().enumerate());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run =
        || -> Vec<(usize, R)> { std::iter::from_fn(next).map(|(place, part)| (place, work(part))).collect() };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        // Where the system gives no more threads, those that are there do all of it.
        let start = |_| std::thread::Builder::new().spawn_scoped(scope, run).ok();
        let started: Vec<_> = (1..threads).map_while(start).collect();
        let mut all = run();
        for thread in started {
            all.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        for count in [0, 1, 2, 100] {
            let parts: Vec<usize> = (0..count).collect();
            assert_eq!(
                abreast(parts.clone(), |part| part * 2),
                parts.iter().map(|p| p * 2).collect::<Vec<_>>()
            );
        }
    }
}
