//! The bytes of the specs of one run, and how they become specs.

use std::io::{self, Read};

use crate::cli::error::CommandError;

use kbfix::{
    convert::import::{AS_SPEC, About, Kind, Reading, import},
    diag::{Code, Diagnostic, Exit},
    format::reg::MAX_FILE,
    spec::{self, LoadedAll, Settings},
};

/// The bytes of a spec, and its name in messages.
#[derive(Debug)]
pub(in crate::cli) struct Source {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Warnings for the author of the spec, if kbfix made the spec from a file of another kind.
    pub(in crate::cli) warnings: Vec<Diagnostic>,
}

impl Source {
    pub(super) fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes, warnings: Vec::new() }
    }

    /// Returns the source for a spec that a caller wrote to standard input.
    pub(in crate::cli) fn piped(name: &str, text: String) -> Self {
        Self::new(name, piped_bytes(text))
    }

    /// Returns the name and the bytes as a [`spec::Source`], the form in which the functions of the crate `kbfix` take
    /// a spec.
    pub(in crate::cli) fn as_spec(&self) -> spec::Source<'_> {
        spec::Source { name: &self.name, bytes: &self.bytes }
    }

    /// Returns the source of a spec. If the bytes are a file of another kind that `kbfix import` recognizes, such as a
    /// `.reg` file, first makes a spec from the file. Returns an error if no spec can be made from it.
    pub(in crate::cli) fn imported(self) -> Result<Self, CommandError> {
        let kind = Kind::of(&self.bytes);
        // A larger manifest was not read completely. Like a spec, it is refused because of its size.
        if kind == Kind::Other || (kind == Kind::Manifest && self.bytes.len() > spec::MAX_BYTES) {
            return Ok(self);
        }
        if self.bytes.len() > MAX_FILE {
            let message = format!("{} has more than {MAX_FILE} bytes", self.name);
            let hint = "export only the keys that are needed, or split the file into several";
            let diagnostic = Diagnostic::error(Code::REG_TOO_LARGE, message).hint(hint);
            return Err(CommandError::new(Exit::Refused, diagnostic));
        }
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let id = id_of(file);
        let title = format!("Registry settings of {file}");
        let about = About { id: &id, title: &title, summary: None };
        let imported = import(&self.name, &self.bytes, Reading::default(), about).map_err(|mut findings| {
            // The hint names options of `kbfix import`, and this command has no such options.
            for finding in &mut findings {
                let options: Vec<_> = finding.options.iter().map(ToString::to_string).collect();
                let Some(hint) = &finding.hint else { continue };
                finding.set_hint(match options.is_empty() {
                    true => hint.replace("give --", "make a spec from the file with `kbfix import` and --"),
                    false => format!("make a spec from the file with `kbfix import` and {}: {hint}", options.join(" ")),
                });
            }
            CommandError::all(Exit::Refused, findings)
        })?;
        let name = format!("{}{AS_SPEC}", self.name);
        Ok(Self { name, bytes: imported.text.into_bytes(), warnings: imported.warnings })
    }
}

/// Appends the bytes of a spec, or of a file from which [`Source::imported`] makes a spec, to the empty `bytes`. Reads
/// at most one byte more than such a file may have. A later check then refuses a file that is too large.
pub(super) fn read_source(from: impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut from = from.take(spec::MAX_BYTES as u64 + 1);
    from.read_to_end(bytes)?;
    if bytes.len() > spec::MAX_BYTES && matches!(Kind::of(bytes), Kind::Reg | Kind::Pol | Kind::Lgpo) {
        from.set_limit((MAX_FILE - spec::MAX_BYTES) as u64);
        from.read_to_end(bytes)?;
    }
    Ok(())
}

/// Returns the id for a spec that is made from another file: the name of the file without an extension such as `.reg`,
/// with `-` in place of each character that an id cannot contain, cut to 100 characters, without `-` at both ends.
/// Returns `registry` if nothing is left.
pub(in crate::cli) fn id_of(file: &str) -> String {
    let extensions = [".reg", ".pol", ".txt", ".osc.yaml", ".osc.yml", ".yaml", ".yml"];
    let length = extensions.into_iter().find(|end| file.to_ascii_lowercase().ends_with(end)).map_or(0, str::len);
    let stem = &file[..file.len() - length];
    let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
    let id: String = stem.chars().map(legal).take(100).collect();
    match id.trim_matches('-') {
        "" => "registry".to_owned(),
        id => id.to_owned(),
    }
}

/// Returns the bytes of text from standard input. Adds a UTF-8 byte order mark to a `.reg` file or the text for
/// LGPO.exe, because without this mark kbfix refuses characters outside ASCII in such text.
fn piped_bytes(text: String) -> Vec<u8> {
    match matches!(Kind::of(text.as_bytes()), Kind::Reg | Kind::Lgpo) && !text.starts_with('\u{feff}') {
        true => format!("\u{feff}{text}").into_bytes(),
        false => text.into_bytes(),
    }
}

/// Reads and checks the specs of one run, with the parameters in `settings`. Returns the specs, or the errors, and the
/// warnings.
pub(in crate::cli) fn check(sources: &[Source], settings: &Settings) -> LoadedAll {
    let sources: Vec<_> = sources.iter().map(Source::as_spec).collect();
    spec::load_all(&sources, settings)
}
