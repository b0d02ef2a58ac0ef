//! The command `kbfix dsc`: acts as a resource of Microsoft DSC.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::cli::{
    args::{
        source::{Source, check},
        specs::standard_input,
        targets::{StateArguments, TargetArguments},
    },
    error::CommandError,
    out_file::{Destination, Inputs, create_folder},
    output::Output,
};

use kbfix::{
    convert::dsc_resource::{self, Instance, Resource},
    diag::{Code, Diagnostic, Exit, Severity},
    format::json,
    journal::StoreError,
    operation::{self, ApplyOptions, MOST_CHANGES, Request, report::Report},
    plan::Outcome,
    render::dsc as render,
    spec::{self, Spec, library},
};

/// Act as a resource of Microsoft DSC v3: as Kbfix/SpecList, for a list of specs, or as the resource of one built-in
/// spec.
///
/// You run only `kbfix dsc manifest`. It writes manifests: descriptions that tell DSC how to run the other commands of
/// this page. The input of `get`, `set`, `test` and `export` is one JSON object on standard input, with the properties
/// of an instance. `kbfix dsc schema` prints the schema of this object. The answer is JSON on standard output. Messages
/// are JSON lines on standard error. The exit code is 0 if the operation succeeds, and greater than 0 if the operation
/// fails. A spec that could not be applied, for example with the outcome blocked or unknown, is not a failure: the exit
/// code is 0. The answer of `get`, `set` and `test` then says that the instance is not in desired state, and gives the
/// reason.
///
/// The property `target` names the target. Each target of `kbfix apply --target` is possible, and `set` can change each
/// of them. Without this property, the environment variable KBFIX_TARGET names the target. If this variable is not set
/// either, the target is this Windows machine; on a system other than Windows, kbfix then reports an error.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write the manifests by which DSC finds the resources.
    Manifest {
        /// The folder into which kbfix writes the file kbfix.dsc.manifests.json [default: standard output]. DSC
        /// searches for the file in the folders of PATH. But if the environment variable DSC_RESOURCE_PATH is set, DSC
        /// searches only the folders of this variable.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Print the actual state of an instance.
    Get {
        #[command(flatten)]
        of: TypeArguments,
    },
    /// Bring an instance into its desired state, and print the resulting state.
    Set {
        #[command(flatten)]
        of: TypeArguments,
        /// Change nothing, and print the state that a run without --what-if would print, but without the property
        /// `journal`. `_metadata.whatIf` in this state contains the changes that such a run would make. If kbfix finds
        /// that such a run would fail, print the actual state, and the reason in `_metadata.whatIf`. kbfix does not
        /// test whether a journal can be written or the target is locked.
        #[arg(long)]
        what_if: bool,
        #[command(flatten)]
        state: StateArguments,
    },
    /// Print the actual state of an instance, and on a second line a list of what is not in desired state. The list
    /// contains the paths of keys and values, and the id of each spec that cannot be applied, or cannot be applied for
    /// some users.
    Test {
        #[command(flatten)]
        of: TypeArguments,
    },
    /// Print an instance for each spec that is, or may be, applicable to the target. With the type Kbfix/SpecList,
    /// kbfix examines the specs that the input names; if the input names no specs, kbfix examines all built-in specs.
    /// With the type Kbfix.Spec/ID, kbfix examines only the spec with this id. If the text of a spec in the input
    /// contains sensitive data, kbfix leaves the spec out with a warning.
    Export {
        #[command(flatten)]
        of: TypeArguments,
    },
    /// Print the JSON schema of a resource's properties.
    Schema {
        #[command(flatten)]
        of: TypeArguments,
    },
}

#[derive(Debug, clap::Args)]
struct TypeArguments {
    /// The type of the resource: Kbfix/SpecList, or Kbfix.Spec/ID with the id of a built-in spec. In this id, write `_`
    /// instead of `-` and `.`: for example, the type for the spec CVE-2013-3900 is Kbfix.Spec/CVE_2013_3900.
    #[arg(long = "type", value_name = "TYPE", default_value = dsc_resource::SPEC_LIST)]
    name: String,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    if let Command::Manifest { out } = &arguments.command {
        return manifest(out.as_deref(), output);
    }
    output.as_traces();
    match &arguments.command {
        Command::Manifest { .. } => Ok(Exit::Done),
        Command::Get { of } => {
            let diff = Asked::read(of, output)?.diff(output)?;
            answer(&diff.state, output)
        }
        Command::Test { of } => {
            let diff = Asked::read(of, output)?.diff(output)?;
            answer(&diff.state, output)?;
            line(&render::differing(&diff.report).into(), output)
        }
        Command::Set { of, what_if: true, state } => what_if(of, state, output),
        Command::Set { of, what_if: false, state } => set(of, state, output),
        Command::Export { of } => export(of, output),
        Command::Schema { of } => line(&dsc_resource::schema(resource(of)?), output),
    }
}

fn manifest(out: Option<&Path>, output: &mut Output) -> Result<Exit, CommandError> {
    let text = format!("{:#}\n", dsc_resource::manifests());
    let Some(folder) = out else {
        output.result(&text);
        return Ok(Exit::Done);
    };
    create_folder(folder)?;
    let file = folder.join(dsc_resource::FILE);
    Destination::new(&file, &Inputs::default())?.write(text.as_bytes(), output)?;
    output.note(&format!("wrote {}", file.display()));
    Ok(Exit::Done)
}

fn what_if(of: &TypeArguments, state: &StateArguments, output: &mut Output) -> Result<Exit, CommandError> {
    let asked = Asked::read(of, output)?;
    let store = state.store()?;
    let mut report = asked.diff(output)?.report;
    if report.specs.iter().any(|spec| spec.outcome == Outcome::ChangesPending)
        // Not if only this account lacks the right to write: everyone may see what an administrator would change.
        && let Err(error @ StoreError::Untrusted { .. }) = store.check(&asked.target()?.address()?)
    {
        let found = operation::Error::from(error).diagnostics;
        let found = found.into_iter().map(|one| Diagnostic { severity: Severity::Warning, ..one }).collect::<Vec<_>>();
        output.diagnostics(&found);
        report.diagnostics.extend(found);
    }
    answer(&render::what_if(asked.resource, &asked.instance, report), output)
}

fn set(of: &TypeArguments, state: &StateArguments, output: &mut Output) -> Result<Exit, CommandError> {
    let asked = Asked::read(of, output)?;
    let store = state.store()?;
    let (address, mut target) = asked.target()?.open()?;
    let request = Request::Specs(asked.specs);
    let report = operation::apply(request, &ApplyOptions::default(), address, target.as_mut(), &store, output)?;
    output.record(&report);
    let of_reasons = report.specs.iter().filter(|spec| spec.whole_outcome() > Outcome::ChangesPending);
    let reasons: Vec<Diagnostic> = of_reasons
        .map(|spec| {
            let outcome = match spec.outcome {
                Outcome::Changed | Outcome::InDesiredState => "applied, but not for all users",
                _ => spec.whole_outcome().as_str(),
            };
            let message = format!("{}: {outcome}: {}", spec.id, spec.reasons.join("; "));
            Diagnostic::warning(Code::DSC_NOT_SET, message)
                .hint("remove the reason that the message names, and run `dsc config set` again")
        })
        .collect();
    output.diagnostics(report.diagnostics.iter().chain(&reasons));
    // A blocked or unknown spec is not a failure of the operation; the state reports it.
    if report.exit_code > Outcome::Unknown.exit() {
        return Ok(report.exit_code);
    }
    let mut state = render::state(asked.resource, &asked.instance, &report);
    render::add_restart(&mut state, &report);
    answer(&state, output)
}

fn export(of: &TypeArguments, output: &mut Output) -> Result<Exit, CommandError> {
    let asked = Asked::read_or_all(of, output)?;
    let diff = asked.diff(output)?;
    let left_out = asked.instance.hidden.iter().map(|id| {
        let message = format!("{id} is left out, because the text of this spec contains sensitive data");
        Diagnostic::warning(Code::EXPORT_LOSSY, message).hint("write the instance for this spec by hand")
    });
    output.diagnostics(&left_out.collect::<Vec<_>>());
    for one in render::instances(asked.resource, &asked.instance, &asked.specs, &diff.report) {
        answer(&one, output)?;
    }
    Ok(Exit::Done)
}

/// The request that DSC sends on standard input.
struct Asked {
    resource: Resource,
    instance: Instance,
    specs: Vec<Spec>,
}

/// The difference between the actual and the desired state: as the properties that DSC reads, and as a report.
struct Difference {
    state: Map<String, Value>,
    report: Report,
}

impl Asked {
    /// Reads the request from standard input. It is an error if the request names no specs.
    fn read(of: &TypeArguments, output: &mut Output) -> Result<Self, CommandError> {
        let (resource, instance) = input(of)?;
        if instance.specs.is_empty() {
            let message = format!("the input of {} is not valid: `specs` is missing", resource.type_name());
            let hint = "name at least one spec, such as { \"specs\": [\"KB909094\"] }";
            return Err(CommandError::new(Exit::Refused, Diagnostic::error(Code::DSC_INPUT, message).hint(hint)));
        }
        Self::load(resource, instance, output)
    }

    /// Reads the request from standard input. If it names no specs, all built-in specs are meant.
    fn read_or_all(of: &TypeArguments, output: &mut Output) -> Result<Self, CommandError> {
        let (resource, mut instance) = input(of)?;
        if instance.specs.is_empty() {
            instance.specs = library::ids().filter_map(dsc_resource::SpecText::built_in).collect();
        }
        Self::load(resource, instance, output)
    }

    fn load(resource: Resource, mut instance: Instance, output: &mut Output) -> Result<Self, CommandError> {
        let sources = instance.specs.iter().map(|one| Source::piped(&one.name, one.text.clone()).imported());
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        let loaded = check(&sources, &instance.settings());
        if !loaded.has_errors() {
            output.warnings(sources.iter().flat_map(|source| &source.warnings).chain(loaded.diagnostics()));
        }
        let specs = loaded.into_specs().map_err(|diagnostics| CommandError::all(Exit::Refused, diagnostics))?;
        instance.hide(resource, &specs);
        Ok(Self { resource, instance, specs })
    }

    fn target(&self) -> Result<TargetArguments, CommandError> {
        TargetArguments::named(self.instance.target.clone(), self.instance.files.as_ref().map(PathBuf::from))
    }

    /// Reads the target, and compares it with the specs.
    fn diff(&self, output: &mut Output) -> Result<Difference, CommandError> {
        let (_, mut target) = self.target()?.open()?;
        let request = Request::Specs(self.specs.clone());
        let report = operation::diff(&request, MOST_CHANGES, target.as_mut(), output)?.into_report();
        output.diagnostics(&report.diagnostics);
        Ok(Difference { state: render::state(self.resource, &self.instance, &report), report })
    }
}

fn resource(of: &TypeArguments) -> Result<Resource, CommandError> {
    Resource::of_type(&of.name).map_err(|error| {
        let hint = match &error.meant {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("the types are {}, and Kbfix.Spec/ID for each built-in spec", dsc_resource::SPEC_LIST),
        };
        CommandError::new(Exit::Refused, Diagnostic::error(Code::DSC_TYPE, error.to_string()).hint(hint))
    })
}

fn input(of: &TypeArguments) -> Result<(Resource, Instance), CommandError> {
    let resource = resource(of)?;
    let most = spec::MAX_BYTES * 64;
    let bytes = standard_input(most + 1)?;
    let invalid = |message: String, hint: &str| {
        CommandError::new(Exit::Refused, Diagnostic::error(Code::DSC_INPUT, message).hint(hint))
    };
    if bytes.len() > most {
        return Err(invalid(format!("the input has more than {most} bytes"), "give fewer specs at once"));
    }
    let text = json::text(&bytes)
        .map_err(|why| invalid(format!("the input cannot be read: {why}"), "write the input as UTF-8"))?;
    let instance = Instance::read(resource, text).map_err(|error| invalid(error.what, &error.hint))?;
    Ok((resource, instance))
}

fn answer(state: &Map<String, Value>, output: &mut Output) -> Result<Exit, CommandError> {
    line(&Value::Object(state.clone()), output)
}

/// Prints a JSON value as one line. Returns the exit code 0.
fn line(value: &Value, output: &mut Output) -> Result<Exit, CommandError> {
    output.result(&format!("{value}\n"));
    Ok(Exit::Done)
}
