//! The load program of `make bench`.

fn main() {}
