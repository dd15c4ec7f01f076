//! Which task waits for which: what is finished, what stands in the way, and who waits in circles.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// Numbers of the nodes that wait, directly or through others, for each node; nodes for which none waits are left
/// out. `nodes` are at least those that wait for something. Cycles are counted once and end.
pub(crate) fn waiting_counts<K: Copy + Eq + Hash>(
    nodes: &[K],
    after: impl Fn(K) -> Vec<K>,
) -> HashMap<K, usize> {
    let dependents = reversed(nodes, after);
    dependents.keys().map(|&node| (node, reachable(node, &dependents))).collect()
}

fn reversed<K: Copy + Eq + Hash>(nodes: &[K], after: impl Fn(K) -> Vec<K>) -> HashMap<K, Vec<K>> {
    let mut dependents: HashMap<K, Vec<K>> = HashMap::new();
    for &node in nodes {
        for before in after(node) {
            dependents.entry(before).or_default().push(node);
        }
    }
    dependents
}

fn reachable<K: Copy + Eq + Hash>(start: K, edges: &HashMap<K, Vec<K>>) -> usize {
    let Some(first) = edges.get(&start) else { return 0 };
    let mut seen = HashSet::from([start]);
    let mut stack = first.clone();
    while let Some(node) = stack.pop() {
        if seen.insert(node) {
            stack.extend(edges.get(&node).into_iter().flatten().copied());
        }
    }
    seen.len() - 1
}

/// The cycle that a node is in, beginning with it; `None` if it only waits in a line.
/// Breadth-first, so the shortest cycle, and at most one visit of each node.
pub(crate) fn cycle_through<K: Copy + Eq + Hash>(start: K, after: impl Fn(K) -> Vec<K>) -> Option<Vec<K>> {
    let mut came_from: HashMap<K, K> = HashMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in after(node) {
            if next == start {
                return Some(path_back(start, node, &came_from));
            }
            if let std::collections::hash_map::Entry::Vacant(entry) = came_from.entry(next) {
                entry.insert(node);
                queue.push_back(next);
            }
        }
    }
    None
}

fn path_back<K: Copy + Eq + Hash>(start: K, last: K, came_from: &HashMap<K, K>) -> Vec<K> {
    let mut path = vec![last];
    while let Some(&node) = path.last().filter(|&&node| node != start).and_then(|node| came_from.get(node)) {
        path.push(node);
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(edges: &'static [(u8, u8)]) -> impl Fn(u8) -> Vec<u8> {
        move |node| edges.iter().filter(|(a, _)| *a == node).map(|(_, b)| *b).collect()
    }

    #[test]
    fn waiting_is_counted_through_others_and_once() {
        // 3 after 2 after 1; 4 after 1 and 2
        let counts = waiting_counts(&[1, 2, 3, 4], after(&[(2, 1), (3, 2), (4, 1), (4, 2)]));
        assert_eq!((counts[&1], counts[&2], counts.get(&3)), (3, 2, None));
    }

    #[test]
    fn cycles_are_named_and_end() {
        let edges = after(&[(1, 2), (2, 3), (3, 1), (4, 1), (5, 5)]);
        assert_eq!(cycle_through(1, &edges), Some(vec![1, 2, 3]));
        assert_eq!(cycle_through(4, &edges), None);
        assert_eq!(cycle_through(5, &edges), Some(vec![5]));
        assert_eq!(waiting_counts(&[1, 2, 3, 4, 5], edges)[&1], 3);
    }
}
