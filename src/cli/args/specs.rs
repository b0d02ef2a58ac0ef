//! The arguments that name specs.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use clap::Arg;
use serde_json::Value;

use super::{
    SPECS,
    source::{Source, check, read_source},
};
use crate::cli::{error::CommandError, out_file::Inputs, output::Output};

use kbfix::{
    diag::{Code, Diagnostic, Exit},
    format::json,
    parallel,
    spec::{self, LoadedAll, Setting, Settings, Spec},
};

/// The maximum number of files of a folder that are read without threads. To start a thread for so few files takes more
/// time than to read them.
const FEW_FILES: usize = 64;

/// The arguments that name specs, for every command that reads specs.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct SpecArguments {
    /// The specs: files, folders, `-` for standard input, or ids of built-in specs such as KB909094. Name at least one
    /// spec, here or with --stdin-specs. In a folder, kbfix reads the files that end in .yaml or .yml, but no
    /// subfolders. Instead of a spec file, you can name a .reg file, a Registry.pol or a file with the text for
    /// LGPO.exe. kbfix then uses the spec that `kbfix import` would make of this file without options. If `kbfix
    /// import` needs an option for the file, such as --root, this is an error.
    #[arg(value_name = "SPEC")]
    pub(in crate::cli) specs: Vec<String>,

    /// Set a parameter in every spec that has this parameter, for example `--set mode=1`. At least one spec must have
    /// the parameter. If you do not set a parameter, kbfix uses its default. If you do not set a parameter that has no
    /// default, the result depends on the command. In `diff`, `apply` and `fleet`, the outcome of the spec is `needs
    /// parameter`, or `not applicable` if the spec does not apply to the machine. `export` reports an error. If the
    /// path of a key in the spec contains `{NAME}`, `snapshot` leaves out this key and prints a warning. `show`,
    /// `symptoms` and `validate` do not need the parameter. If a parameter is a list, write commas between its items.
    /// You can give this option several times, but only once for each parameter.
    #[arg(long = "set", value_name = "NAME=DATA", help_heading = SPECS)]
    set: Vec<String>,

    /// The file name of standard input, if you give `-`. Messages use it. If the text is not a spec, such as a .reg
    /// file, the id of its spec also comes from this name; for the name `-`, this id is `registry`.
    #[arg(long, value_name = "NAME", default_value = "-", help_heading = SPECS)]
    stdin_name: String,

    /// Read specs as JSON from standard input, in addition to the specs that you name. The JSON is a list of specs,
    /// each { "name": …, "text": … }. `text` is the content of a spec file (in YAML), the content of a .reg file, or
    /// the text for LGPO.exe. kbfix recognizes the kind of `text` by its content, and not by the ending of `name`.
    /// `name` is a name of your choice for messages. If `text` is not YAML, kbfix makes a spec from it; the id of this
    /// spec comes from `name`. To set parameters too, write an object { "specs": […], "parameters": { "mode": "1" } }
    /// instead of the list. The data of each parameter is a string or a list of strings. If you leave out "specs", you
    /// must name at least one spec as SPEC. The JSON may have at most 64 MiB. This option is for programs that have no
    /// files. It is also for programs whose parameters must not appear in the list of processes.
    #[arg(long, conflicts_with = "stdin_name", help_heading = SPECS)]
    stdin_specs: bool,
}

/// The sentence about the number of specs in the help of `SPEC`. Some commands replace it with another sentence.
const AT_LEAST_ONE: &str = "Name at least one spec, here or with --stdin-specs.";

/// Returns `SPEC` with another help text: the command uses all built-in specs if the user names none.
pub(in crate::cli) fn or_all(specs: Arg) -> Arg {
    with_number(specs, "If you name no spec, kbfix uses all built-in specs.")
}

/// Returns `SPEC` with another help text: the user must name no spec if one of `options` is given.
pub(in crate::cli) fn unless(specs: Arg, options: &str) -> Arg {
    with_number(specs, &format!("{AT_LEAST_ONE} With {options}, name no spec."))
}

fn with_number(specs: Arg, number: &str) -> Arg {
    let help = specs.get_help().map(ToString::to_string).unwrap_or_default();
    debug_assert!(help.contains(AT_LEAST_ONE), "the help of SPEC lacks `{AT_LEAST_ONE}`: {help}");
    specs.help(help.replace(AT_LEAST_ONE, number))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    text: String,
}

/// The specs and the data of parameters that `--stdin-specs` reads. A JSON list contains only specs.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    specs: Vec<Named>,
    #[serde(default)]
    parameters: BTreeMap<String, Setting>,
}

impl SpecArguments {
    /// Reads and checks the specs. If there is no error, prints the warnings to standard error.
    ///
    /// # Errors
    /// Returns the findings about the specs (at most 100 of each file) if one is an error, or why they cannot be read.
    pub(in crate::cli) fn load(&self, output: &mut Output) -> Result<Vec<Spec>, CommandError> {
        self.load_with(Settings::new(), output)
    }

    /// Reads and checks the specs like `load`, but accepts a parameter that has no default and is not set: a plan
    /// reports it as missing. `document.registry` of each spec is empty, because a plan needs only the checked rules.
    pub(in crate::cli) fn load_for_plan(&self, output: &mut Output) -> Result<Vec<Spec>, CommandError> {
        self.load_by(spec::load_rules, Settings::for_validation(), output)
    }

    /// Loads all built-in specs. Parameters have their defaults; a parameter without a default is not set.
    ///
    /// # Errors
    /// Returns an error if a built-in spec is invalid, which is a bug in kbfix.
    pub(in crate::cli) fn load_library(output: &mut Output) -> Result<Vec<Spec>, CommandError> {
        let loaded = spec::library::load();
        if !loaded.has_errors() {
            output.warnings(loaded.diagnostics());
        }
        loaded.into_specs().map_err(|diagnostics| CommandError::all(Exit::Refused, diagnostics))
    }

    /// Reads and checks the specs like `load`. `settings` says whether a parameter may be unset, and contains
    /// parameters that are already set.
    pub(in crate::cli) fn load_with(&self, settings: Settings, output: &mut Output) -> Result<Vec<Spec>, CommandError> {
        self.load_by(spec::load_all, settings, output)
    }

    fn load_by(
        &self,
        load: fn(&[spec::Source<'_>], &Settings) -> LoadedAll,
        settings: Settings,
        output: &mut Output,
    ) -> Result<Vec<Spec>, CommandError> {
        let (sources, settings) = self.read(settings)?;
        Self::load_sources(&sources, load, &settings, output)
    }

    /// Loads all built-in specs like `load_for_plan`, with the parameters of `--set`. Ignores files and folders that
    /// have the name of a built-in spec.
    pub(in crate::cli) fn load_library_for_plan(&self, output: &mut Output) -> Result<Vec<Spec>, CommandError> {
        let settings = self.add_set(Settings::for_validation())?;
        let sources: Vec<_> = spec::library::ids().filter_map(built_in).collect();
        Self::load_sources(&sources, spec::load_rules, &settings, output)
    }

    fn load_sources(
        sources: &[Source],
        load: fn(&[spec::Source<'_>], &Settings) -> LoadedAll,
        settings: &Settings,
        output: &mut Output,
    ) -> Result<Vec<Spec>, CommandError> {
        let loaded = load(&sources.iter().map(Source::as_spec).collect::<Vec<_>>(), settings);
        if !loaded.has_errors() {
            output.warnings(sources.iter().flat_map(|source| &source.warnings).chain(loaded.diagnostics()));
        }
        loaded.into_specs().map_err(|diagnostics| CommandError::all(Exit::Refused, diagnostics))
    }

    /// Returns arguments with these values, for a command that does not use `SpecArguments` itself.
    pub(in crate::cli) fn of(specs: Vec<String>, set: Vec<String>, stdin_specs: bool) -> Self {
        Self { specs, set, stdin_name: "-".to_owned(), stdin_specs }
    }

    /// Returns the same arguments with these specs in place of the named ones, and without `--stdin-specs`.
    pub(in crate::cli) fn in_place_of(&self, specs: Vec<String>) -> Self {
        Self { specs, stdin_specs: false, ..self.clone() }
    }

    /// Returns whether any spec is named, or `--stdin-specs` is given.
    pub(in crate::cli) fn are_named(&self) -> bool {
        !self.specs.is_empty() || self.stdin_specs
    }

    /// Returns one list of specs for each of these sets of parameters. Reads the files only once. A parameter in a set
    /// replaces the same parameter of `--set`. Prints the warnings of the first list only.
    pub(in crate::cli) fn load_each(
        &self,
        sets: &[&BTreeMap<String, Setting>],
        output: &mut Output,
    ) -> Result<Vec<Vec<Spec>>, CommandError> {
        let (sources, settings) = self.read(Settings::for_validation())?;
        let mut lists = Vec::with_capacity(sets.len());
        for (at, set) in sets.iter().enumerate() {
            let mut settings = settings.clone();
            for (name, data) in *set {
                settings.insert(name, data.clone());
            }
            let loaded = check(&sources, &settings);
            // Most warnings for the other sets would be the same.
            if at == 0 && !loaded.has_errors() {
                output.warnings(sources.iter().flat_map(|source| &source.warnings).chain(loaded.diagnostics()));
            }
            lists.push(loaded.into_specs().map_err(|diagnostics| CommandError::all(Exit::Refused, diagnostics))?);
        }
        Ok(lists)
    }

    /// Returns the name for a file in messages. For `-`, this is the name of `--stdin-name`, or by default "standard
    /// input".
    pub(in crate::cli) fn name_of<'a>(&'a self, file: &'a str) -> &'a str {
        match (file, self.stdin_name.as_str()) {
            ("-", "-") => "standard input",
            ("-", name) => name,
            _ => file,
        }
    }

    /// Adds the spec files to `inputs`, so that the command does not overwrite them.
    pub(in crate::cli) fn inputs(&self, inputs: &mut Inputs) {
        for name in &self.specs {
            inputs.add(name);
            // Every file in a folder is added. If a folder cannot be listed, reading its specs reports that.
            for entry in fs::read_dir(name).into_iter().flatten().flatten() {
                inputs.add(entry.path());
            }
        }
    }

    /// Reads every spec that was named or came from standard input; it is an error if there is none. Also returns
    /// `settings` with the parameters of `--set` and of the JSON of `--stdin-specs` added.
    pub(in crate::cli) fn read(&self, mut settings: Settings) -> Result<(Vec<Source>, Settings), CommandError> {
        let piped = if self.stdin_specs { Whole::from_standard_input()? } else { Whole::default() };
        for (name, data) in piped.parameters {
            settings.insert(name, data);
        }
        let settings = self.add_set(settings)?;
        let mut sources: Vec<_> = piped.specs.into_iter().map(|n| Source::piped(&n.name, n.text)).collect();
        self.named(&mut sources)?;
        if sources.is_empty() {
            return Err(CommandError::usage(
                "no spec is named",
                "name a file, a folder, `-`, or a built-in spec such as KB909094",
            ));
        }
        let sources = sources.into_iter().map(Source::imported).collect::<Result<_, _>>()?;
        Ok((sources, settings))
    }

    /// Returns `settings` with the parameters of `--set` added. It is an error if one of them is already set.
    fn add_set(&self, mut settings: Settings) -> Result<Settings, CommandError> {
        for text in &self.set {
            let Some((name, data)) = text.split_once('=') else {
                // The text is not shown, because it may contain sensitive data.
                return Err(CommandError::usage("the text after a `--set` has no `=`", "write it as --set name=data"));
            };
            if settings.get(name).is_some() {
                let message = format!("`--set {name}` sets a parameter that is already set");
                return Err(CommandError::usage(message, "set each parameter once, with --set or on standard input"));
            }
            settings.insert(name, data);
        }
        Ok(settings)
    }

    /// Adds the text of every named spec to `sources`.
    fn named(&self, sources: &mut Vec<Source>) -> Result<(), CommandError> {
        for name in &self.specs {
            if name == "-" {
                let bytes = standard_input_by(read_source)?;
                sources.push(Source::new(self.stdin_name.clone(), bytes));
                continue;
            }
            let path = Path::new(name);
            match fs::metadata(path) {
                Ok(found) if found.is_dir() => folder(path, sources)?,
                Ok(_) => sources.push(file(path)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => match built_in(name) {
                    Some(source) => sources.push(source),
                    None => {
                        let message = format!("`{name}` is not a file, a folder or a built-in spec");
                        let ids: Vec<_> = spec::library::ids().collect();
                        let hint = match kbfix::diag::text::suggest(name, ids.iter().copied()) {
                            Some(meant) => format!("did you mean {meant}?"),
                            None if name.contains(['/', '\\', '.']) => {
                                "correct the path; a relative path starts at the current folder".to_owned()
                            }
                            None => "`kbfix library` lists the built-in specs".to_owned(),
                        };
                        return Err(CommandError::new(
                            Exit::Refused,
                            Diagnostic::error(Code::SPEC_NOT_FOUND, message).hint(hint),
                        ));
                    }
                },
                Err(error) => return Err(CommandError::file(name, &error)),
            }
        }
        Ok(())
    }
}

impl Whole {
    fn from_standard_input() -> Result<Self, CommandError> {
        let most = spec::MAX_BYTES * 64;
        let text = standard_input(most + 1)?;
        if text.len() > most {
            let message = format!("standard input for --stdin-specs has more than {most} bytes");
            return Err(CommandError::usage(message, "give fewer specs at once"));
        }
        let invalid = |why: String| {
            CommandError::usage(
                format!("standard input does not have the form that --stdin-specs reads: {why}"),
                "the --help of this command describes the form",
            )
        };
        // Not with an untagged enum, because its error would not say what is wrong.
        let text = json::text(&text).map_err(invalid)?;
        match serde_json::from_str(text).map_err(|e| invalid(json::explain(&e)))? {
            list @ Value::Array(_) => {
                let specs = serde_json::from_value(list).map_err(|e| invalid(json::explain(&e)))?;
                Ok(Self { specs, ..Self::default() })
            }
            Value::Object(mut whole) => {
                // The error of serde_json would show the data, which may be sensitive.
                let parameters = whole.remove("parameters").map(serde_json::from_value).transpose().map_err(|_| {
                    invalid("`parameters` is not an object with a string or a list of strings for each name".to_owned())
                })?;
                let rest: Self = serde_json::from_value(whole.into()).map_err(|e| invalid(json::explain(&e)))?;
                Ok(Self { parameters: parameters.unwrap_or_default(), ..rest })
            }
            _ => Err(invalid("the JSON is neither a list of specs nor an object".to_owned())),
        }
    }
}

/// Returns the source of the built-in spec with this id; `None` if there is no such spec.
fn built_in(id: &str) -> Option<Source> {
    spec::library::find(id).map(|bytes| Source::new(format!("built-in {id}"), bytes.to_vec()))
}

fn folder(path: &Path, sources: &mut Vec<Source>) -> Result<(), CommandError> {
    let mut files: Vec<PathBuf> = Vec::new();
    let error = |e: io::Error| CommandError::file(&path.display().to_string(), &e);
    for entry in fs::read_dir(path).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(path);
        }
    }
    // The paths differ only in their last name, so they need not be compared name by name.
    files.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    if files.is_empty() {
        let message = format!("the folder {} contains no .yaml or .yml file", path.display());
        let hint = "name the folder that directly contains the specs, because subfolders are not searched; name files of \
                    another kind, such as a .reg file, one by one";
        return Err(CommandError::new(Exit::Refused, Diagnostic::error(Code::SPEC_NOT_FOUND, message).hint(hint)));
    }
    let read = match files.len() <= FEW_FILES {
        true => files.iter().map(|path| file(path)).collect(),
        false => parallel::map(&files, |path| file(path)),
    };
    for source in read {
        sources.push(source?);
    }
    Ok(())
}

fn file(path: &Path) -> Result<Source, CommandError> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|f| {
            // With capacity for the whole spec and one more byte, a single read is enough.
            let length = f.metadata()?.len().min(spec::MAX_BYTES as u64 + 1);
            bytes.reserve_exact(usize::try_from(length).unwrap_or_default() + 1);
            read_source(f, &mut bytes)
        })
        .map_err(|e| CommandError::file(&name, &e))?;
    Ok(Source::new(name, bytes))
}

/// Reads at most `limit` bytes of standard input like `standard_input_by`.
pub(in crate::cli) fn standard_input(limit: usize) -> Result<Vec<u8>, CommandError> {
    standard_input_by(|from, bytes| from.take(limit as u64).read_to_end(bytes).map(|_| ()))
}

/// Reads standard input with `read`. A second call in the same process returns an error, because standard input can be
/// read only once.
fn standard_input_by(
    read: impl FnOnce(io::StdinLock<'static>, &mut Vec<u8>) -> io::Result<()>,
) -> Result<Vec<u8>, CommandError> {
    static IS_READ: AtomicBool = AtomicBool::new(false);
    if IS_READ.swap(true, Ordering::Relaxed) {
        let hint = "give `-` only once, and not together with --stdin-specs";
        return Err(CommandError::usage("standard input is requested twice", hint));
    }
    let mut bytes = Vec::new();
    read(io::stdin().lock(), &mut bytes).map_err(|e| CommandError::file("standard input", &e))?;
    Ok(bytes)
}
