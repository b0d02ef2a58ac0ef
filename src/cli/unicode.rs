//! The error for an argument that is not valid Unicode. clap's own error does not say which argument it is.

use std::{
    any::TypeId,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use clap::{
    Arg, Command, Error,
    builder::TypedValueParser,
    error::{ErrorKind, Result},
};
use kbfix::registry::notation::one_line;

/// Parses the arguments of the process again. Returns the error about the first one that is not valid Unicode but must
/// be; `None` if clap finds no such argument. Options whose value contains a path accept any path.
pub(super) fn check(command: Command) -> Option<Error> {
    let error = with_checks(command).try_get_matches().err()?;
    (error.kind() == ErrorKind::InvalidUtf8).then_some(error)
}

fn with_checks(command: Command) -> Command {
    let paths = [TypeId::of::<PathBuf>(), TypeId::of::<(char, PathBuf)>(), TypeId::of::<(String, PathBuf)>()];
    let with_check = |arg: Arg| match paths.iter().any(|path| arg.get_value_parser().type_id() == *path) {
        true => arg.value_parser(clap::value_parser!(OsString)),
        false => arg.value_parser(Unicode),
    };
    let takes_value = |arg: &Arg| arg.get_action().takes_values();
    command.mut_args(|arg| if takes_value(&arg) { with_check(arg) } else { arg }).mut_subcommands(with_checks)
}

/// The ids of the arguments whose value can contain a password, so that no message quotes it.
const UNQUOTED: [&str; 2] = ["target", "set"];

/// Accepts valid Unicode. The error for other text names the argument.
#[derive(Debug, Clone)]
struct Unicode;

impl TypedValueParser for Unicode {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String> {
        value.to_str().map(str::to_owned).ok_or_else(|| {
            let name = arg.map(ToString::to_string).unwrap_or_default();
            let value = match arg.is_some_and(|arg| UNQUOTED.contains(&arg.get_id().as_str())) {
                true => String::new(),
                false => format!(" '{}'", one_line(&value.to_string_lossy())),
            };
            let message = format!(
                "invalid value{value} for '{name}': it is not valid Unicode; name a file or folder by another path, \
                 such as that of a link to it\n"
            );
            Error::raw(ErrorKind::InvalidUtf8, message).with_cmd(command)
        })
    }
}
