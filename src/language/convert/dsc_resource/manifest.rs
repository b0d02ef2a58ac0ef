//! The manifests of the DSC resources. DSC finds the resources of kbfix through the file `kbfix.dsc.manifests.json`,
//! which contains all these manifests.

use serde_json::{Value, json};

use super::{ADAPTER, Resource, schema};

const RESOURCE: &str = "https://aka.ms/dsc/schemas/v3/bundled/resource/manifest.json";
const ADAPTED: &str = "https://aka.ms/dsc/schemas/v3/bundled/adaptedresource/manifest.json";

/// The name of the file with the manifests. DSC finds manifest files by the suffix `.dsc.manifests.json`.
pub const FILE: &str = "kbfix.dsc.manifests.json";

/// Returns the content of the file with all manifests. The manifests name the program `kbfix` without a path: DSC
/// searches for it in the folder of the file, then in PATH.
pub fn manifests() -> Value {
    let adapted: Vec<Value> = Resource::all().filter(|resource| *resource != Resource::SpecList).map(adapted).collect();
    json!({ "resources": [spec_list(), adapter()], "adaptedResources": adapted })
}

fn spec_list() -> Value {
    let mut manifest = methods(&[]);
    manifest["type"] = super::SPEC_LIST.into();
    manifest["kind"] = "resource".into();
    manifest["description"] =
        "kbfix specs: the registry settings that Microsoft's articles require on a Windows machine.".into();
    manifest["schema"] = json!({ "embedded": schema(Resource::SpecList) });
    manifest
}

fn adapter() -> Value {
    let mut manifest = methods(&[json!({ "resourceTypeArg": "--type" })]);
    manifest["type"] = ADAPTER.into();
    manifest["kind"] = "adapter".into();
    manifest["description"] = "Makes each built-in spec of kbfix a separate resource.".into();
    manifest["adapter"] = json!({ "inputKind": "single" });
    manifest["schema"] = json!({ "command": {
        "executable": "kbfix", "args": ["dsc", "schema", { "resourceTypeArg": "--type" }],
    } });
    manifest
}

/// Returns the fields that the manifest of `Kbfix/SpecList` and the manifest of the adapter have in common. `more`
/// contains additional arguments for each call of kbfix. The field `requireSecurityContext` is left out, because with
/// it DSC would require an elevated user even for what-if.
fn methods(more: &[Value]) -> Value {
    let method = |verb: &str| {
        let mut args = vec![json!("dsc"), json!(verb)];
        args.extend_from_slice(more);
        json!({ "executable": "kbfix", "args": args, "input": "stdin" })
    };
    let mut test = method("test");
    test["return"] = "stateAndDiff".into();
    let mut set = method("set");
    if let Some(args) = set["args"].as_array_mut() {
        args.push(json!({ "whatIfArg": "--what-if" }));
    }
    set["implementsPretest"] = true.into();
    set["return"] = "state".into();
    set["whatIfReturns"] = "state".into();
    json!({
        "$schema": RESOURCE,
        "version": env!("CARGO_PKG_VERSION"),
        "tags": ["windows", "registry", "kbfix"],
        "get": method("get"),
        "set": set,
        "test": test,
        "export": method("export"),
        "exitCodes": {
            "0": "Success",
            "2": "The input, a spec, the number of changes or the state folder was refused; nothing was changed",
            "3": "The target could not be read or is locked, or the journal could not be written; nothing was changed",
            "5": "A write failed; everything was restored",
            "6": "A write failed, and not everything could be restored: see the journal",
            "8": "Done, but standard output could not be written",
        },
    })
}

fn adapted(resource: Resource) -> Value {
    let schema = schema(resource);
    json!({
        "$schema": ADAPTED,
        "type": resource.type_name(),
        "kind": "resource",
        "version": env!("CARGO_PKG_VERSION"),
        "capabilities": ["get", "set", "setWhatIf", "test", "export"],
        "description": schema["title"],
        "requireAdapter": ADAPTER,
        // DSC requires the path of an existing file, but the adapter needs only the type.
        "path": FILE,
        "schema": { "embedded": schema },
    })
}
