//! Moving the queue from one home to the other.
