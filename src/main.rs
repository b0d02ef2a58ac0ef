//! The `kbfix` command.
fn main() {}
