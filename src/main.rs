//! The `kbfix` command.

fn main() -> std::process::ExitCode {
    kbfix::cli::main()
}
