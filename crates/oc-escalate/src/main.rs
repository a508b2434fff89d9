//! Placeholder: the command line is built on the library.

fn main() {}
