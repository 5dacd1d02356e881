//! The small parts, measured by themselves.

fn main() {}
