//! Which task waits for which: how many wait for one, and who waits in circles.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::hash::Hash;

/// Who waits for whom. Nodes are numbered inside, so that even long chains are walked quickly.
#[derive(Debug)]
pub(crate) struct Graph<K> {
    nodes: Vec<K>,
    numbers: HashMap<K, usize>,
    /// What each node waits for.
    after: Vec<Vec<usize>>,
    /// Which nodes wait for each.
    before: Vec<Vec<usize>>,
    /// Whether a node can be in a circle at all.
    tangled: Vec<bool>,
}

impl<K: Copy + Eq + Hash> Graph<K> {
    /// The graph of nodes that wait, each with what it waits for.
    pub(crate) fn new(waiting: impl IntoIterator<Item = (K, Vec<K>)>) -> Graph<K> {
        let mut graph = Graph {
            nodes: Vec::new(),
            numbers: HashMap::new(),
            after: Vec::new(),
            before: Vec::new(),
            tangled: Vec::new(),
        };
        for (node, others) in waiting {
            let node = graph.number(node);
            for other in others {
                let other = graph.number(other);
                graph.after[node].push(other);
                graph.before[other].push(node);
            }
        }
        graph.tangled = graph.without_ends();
        graph
    }

    fn number(&mut self, node: K) -> usize {
        let next = self.nodes.len();
        let number = *self.numbers.entry(node).or_insert(next);
        if number == next {
            self.nodes.push(node);
            self.after.push(Vec::new());
            self.before.push(Vec::new());
        }
        number
    }

    /// How many nodes wait, directly or through others, for each one that others wait for. Circles are counted once.
    pub(crate) fn waiting_counts(&self) -> HashMap<K, usize> {
        let mut seen_by = vec![usize::MAX; self.nodes.len()];
        let awaited = (0..self.nodes.len()).filter(|&node| !self.before[node].is_empty());
        awaited.map(|node| (self.nodes[node], self.count_from(node, &mut seen_by))).collect()
    }

    fn count_from(&self, start: usize, seen_by: &mut [usize]) -> usize {
        seen_by[start] = start;
        let (mut stack, mut count) = (self.before[start].clone(), 0);
        while let Some(node) = stack.pop() {
            if seen_by[node] != start {
                seen_by[node] = start;
                count += 1;
                stack.extend(&self.before[node]);
            }
        }
        count
    }

    /// The circle that a node is in, beginning with it; `None` if it only waits in a line.
    /// Breadth-first, so the shortest one, and at most one visit of each node.
    pub(crate) fn cycle_through(&self, start: K) -> Option<Vec<K>> {
        let start = *self.numbers.get(&start).filter(|number| self.tangled[**number])?;
        let mut came_from = vec![usize::MAX; self.nodes.len()];
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for &next in self.after[node].iter().filter(|next| self.tangled[**next]) {
                if next == start {
                    return Some(self.path_back(start, node, &came_from));
                }
                if came_from[next] == usize::MAX {
                    came_from[next] = node;
                    queue.push_back(next);
                }
            }
        }
        None
    }

    fn path_back(&self, start: usize, last: usize, came_from: &[usize]) -> Vec<K> {
        let mut path = vec![last];
        let mut node = last;
        while node != start {
            node = came_from[node];
            path.push(node);
        }
        path.iter().rev().map(|node| self.nodes[*node]).collect()
    }

    /// Take away, again and again, the nodes that wait for none and those that none waits for.
    fn without_ends(&self) -> Vec<bool> {
        let mut left = vec![true; self.nodes.len()];
        for (forward, backward) in [(&self.after, &self.before), (&self.before, &self.after)] {
            let mut degree: Vec<usize> =
                forward.iter().map(|others| others.iter().filter(|other| left[**other]).count()).collect();
            let mut ends: Vec<usize> =
                (0..left.len()).filter(|&node| left[node] && degree[node] == 0).collect();
            while let Some(end) = ends.pop() {
                left[end] = false;
                for &other in &backward[end] {
                    degree[other] = degree[other].saturating_sub(1);
                    if left[other] && degree[other] == 0 {
                        ends.push(other);
                    }
                }
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(u32, u32)]) -> Graph<u32> {
        Graph::new(edges.iter().map(|(a, b)| (*a, vec![*b])))
    }

    #[test]
    fn waiting_is_counted_through_others_and_once() {
        // 3 after 2 after 1; 4 after 1 and 2
        let counts = graph(&[(2, 1), (3, 2), (4, 1), (4, 2)]).waiting_counts();
        assert_eq!((counts[&1], counts[&2], counts.get(&3)), (3, 2, None));
    }

    #[test]
    fn cycles_are_named_and_end() {
        let graph = graph(&[(1, 2), (2, 3), (3, 1), (4, 1), (5, 5), (3, 6), (6, 7)]);
        assert_eq!(graph.cycle_through(1), Some(vec![1, 2, 3]));
        assert_eq!(graph.cycle_through(4), None);
        assert_eq!(graph.cycle_through(5), Some(vec![5]));
        assert_eq!(graph.cycle_through(6), None);
        assert_eq!(graph.cycle_through(8), None);
        assert_eq!(graph.waiting_counts()[&1], 3);
    }

    #[test]
    fn a_node_between_two_circles_is_in_none() {
        let graph = graph(&[(1, 2), (2, 1), (2, 3), (3, 4), (4, 5), (5, 4)]);
        assert_eq!(graph.cycle_through(3), None);
        assert_eq!(graph.cycle_through(4), Some(vec![4, 5]));
    }

    #[test]
    fn a_long_chain_and_a_long_circle_end() {
        let mut edges: Vec<(u32, u32)> = (1..5000).map(|n| (n, n - 1)).collect();
        assert_eq!(graph(&edges).waiting_counts()[&0], 4999);
        edges.push((0, 4999));
        assert_eq!(graph(&edges).cycle_through(0).map(|circle| circle.len()), Some(5000));
    }
}
