//! The output of `kbfix --version --verbose`: details of the build.

use std::{env, ffi::OsStr};

use kbfix::spec::library;

use super::output::Output;

/// Returns whether the arguments are `--version` and `--verbose`, in either order. clap itself would print the short
/// version as soon as it reads `--version`.
pub(super) fn is_verbose() -> bool {
    let words: Vec<_> = env::args_os().skip(1).collect();
    let has = |names: &[&str]| words.iter().any(|word| names.iter().any(|name| word == OsStr::new(name)));
    words.len() == 2 && has(&["--version", "-V"]) && has(&["--verbose"])
}

/// Prints the version and the details of the build. The commit and the compiler are known only in a release build
/// (release/binaries).
pub(super) fn print(output: &mut Output) {
    let link = if cfg!(target_feature = "crt-static") { ", static" } else { "" };
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    output.result(&format!(
        "kbfix {version}\n\
         commit: {commit}\n\
         compiler: {compiler}\n\
         built for: {arch}-{os}{link}, {profile}\n\
         built-in specs: {specs}\n",
        version = env!("CARGO_PKG_VERSION"),
        commit = option_env!("KBFIX_COMMIT").unwrap_or("unknown"),
        compiler = option_env!("KBFIX_COMPILER").unwrap_or("unknown"),
        arch = env::consts::ARCH,
        os = env::consts::OS,
        specs = library::ids().count(),
    ));
}
