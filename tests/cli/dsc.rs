//! Tests `kbfix dsc` as DSC calls it: with the arguments of its manifest. The input and the output are checked against
//! its schemas.

use std::{fs, path::Path, sync::LazyLock};

use serde_json::{Value, json};

use crate::harness::{Machine, Run};

const LIST: &str = "Kbfix/SpecList";
const SPEC: &str = "Kbfix.Spec/KB909094";

#[track_caller]
fn valid(schema: &Value, value: &Value) {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
}

/// Returns the output of `kbfix dsc manifest`. It is read once for all tests, because the command reads the whole
/// library.
fn manifests() -> &'static Value {
    static MANIFESTS: LazyLock<Value> = LazyLock::new(|| Machine::new().run("dsc manifest").code(0).json());
    &MANIFESTS
}

/// Calls a method of a resource as DSC does. Returns the run and the lines of its output, each checked against the
/// schema of the resource.
#[track_caller]
fn call(machine: &Machine, method: &str, resource: &str, input: &Value, what_if: bool) -> (Run, Vec<Value>) {
    let manifests = manifests();
    let of_type =
        |list: &str, name: &str| manifests[list].as_array().unwrap().iter().find(|one| one["type"] == name).cloned();
    let schema = match of_type("adaptedResources", resource) {
        Some(adapted) => adapted["schema"]["embedded"].clone(),
        None => of_type("resources", resource).unwrap()["schema"]["embedded"].clone(),
    };
    valid(&schema, input);
    let adapter = of_type("adaptedResources", resource).map(|adapted| adapted["requireAdapter"].clone());
    let called = of_type("resources", adapter.as_ref().and_then(Value::as_str).unwrap_or(resource)).unwrap();
    let mut line = String::new();
    for argument in called[method]["args"].as_array().unwrap() {
        match argument {
            Value::String(text) => line += &format!("{text} "),
            one if one.get("resourceTypeArg").is_some() => {
                line += &format!("{} {resource} ", one["resourceTypeArg"].as_str().unwrap());
            }
            one if what_if => line += &format!("{} ", one["whatIfArg"].as_str().unwrap()),
            _ => {}
        }
    }
    let state = if method == "set" { "@state" } else { "" };
    let run = machine.run_with(&format!("{line} {state}"), &input.to_string());
    let lines: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in lines.iter().filter(|line| line.is_object()) {
        valid(&schema, line);
    }
    for line in run.stderr.lines() {
        let trace: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no trace: {line}"));
        let (level, text) = trace.as_object().unwrap().iter().next().unwrap();
        assert!(["error", "warn", "info"].contains(&level.as_str()) && text.is_string(), "{line}");
    }
    (run, lines)
}

#[test]
fn a_hint_names_the_property() {
    let machine = Machine::new();
    let input = |target: &str| json!({ "specs": ["KB909094"], "target": target }).to_string();
    let target = format!("reg:{}", machine.path("machine.reg").display());
    let says = "give the folder that contains them (the property `files`)";
    machine.run_with("dsc get", &input(&target)).code(0).says(says);
    std::fs::write(machine.path("machine.reg"), b"REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\T]\r\n\"a\"=\"\xE9\"\r\n")
        .unwrap();
    machine.run_with("dsc get", &input(&target)).code(3).says("(`--code-page N` on the command line of kbfix)");
}

#[cfg(unix)]
#[test]
fn a_target_in_the_environment_that_is_not_unicode_is_not_ignored() {
    use std::os::unix::ffi::OsStrExt as _;

    let machine = Machine::new();
    let input = machine.path("input.json");
    std::fs::write(&input, json!({ "specs": ["KB909094"] }).to_string()).unwrap();
    for line in ["dsc get", "dsc test", "dsc set @state", "diff KB909094"] {
        let mut command = machine.command(line);
        command.env("KBFIX_TARGET", std::ffi::OsStr::from_bytes(b"reg:/\xFF")).stdin(fs::File::open(&input).unwrap());
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {stderr}");
        assert!(!stderr.contains("no target was given"), "{line}: {stderr}");
    }
}

#[cfg(unix)]
#[test]
fn what_if_says_that_set_would_refuse_the_state_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new();
    let before = machine.export();
    std::fs::create_dir(machine.path("state")).unwrap();
    std::fs::set_permissions(machine.path("state"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let input = on(&machine, json!({ "specs": ["KB909094"] }));
    let (run, lines) = call(&machine, "set", "Kbfix/SpecList", &input, true);
    run.code(0).says("journal-untrusted");
    let what_if = lines[0]["_metadata"]["whatIf"][0].as_str().unwrap();
    assert!(what_if.starts_with("set would fail: ") && what_if.contains("can write to it"), "{what_if}");
    assert_eq!((&lines[0]["_inDesiredState"], lines[0].get("_restartRequired")), (&json!(false), None));
    call(&machine, "set", "Kbfix/SpecList", &input, false).0.code(3).says("journal-untrusted");
    // If nothing must be changed, no journal is necessary.
    std::fs::set_permissions(machine.path("state"), std::fs::Permissions::from_mode(0o755)).unwrap();
    call(&machine, "set", "Kbfix/SpecList", &input, false).0.code(0);
    std::fs::set_permissions(machine.path("state"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let (_, lines) = call(&machine, "set", "Kbfix/SpecList", &input, true);
    assert_eq!(lines[0]["_inDesiredState"], true);
    machine.set_export(&before);
}

/// Returns the input for the target of the example server, with the additional properties `more`.
fn on(machine: &Machine, more: Value) -> Value {
    let mut input = more;
    input["target"] = format!("reg:{}", machine.path("machine.reg").display()).into();
    input["files"] = machine.path("C").display().to_string().into();
    input
}

const PLACE: &str = r#"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV "DisableRealmHint""#;

#[test]
fn the_manifests_are_as_dsc_reads_them() {
    let machine = Machine::new();
    let schema: Value = serde_json::from_str(include_str!("../fixtures/documents/dsc-manifests.schema.json")).unwrap();
    let list = manifests();
    valid(&schema, list);
    assert_eq!(list["adaptedResources"].as_array().unwrap().len(), kbfix::spec::library::ids().count());
    machine.run("dsc manifest --out @/new/folder").code(0);
    assert_eq!(machine.read("new/folder/kbfix.dsc.manifests.json"), format!("{list:#}\n"));
    for resource in [LIST, SPEC] {
        let printed = machine.run(&format!("dsc schema --type {resource}")).code(0).json();
        assert_eq!(printed["type"], "object", "{resource}");
    }
}

#[test]
fn test_names_what_differs_and_set_brings_it_about() {
    for (resource, more) in [(LIST, json!({ "specs": ["KB909094"] })), (SPEC, json!({ "realm_hint": 1 }))] {
        let machine = Machine::new();
        let input = on(&machine, more);
        let before = machine.export();
        let (run, lines) = call(&machine, "test", resource, &input, false);
        run.code(0);
        assert_eq!(lines[0]["_inDesiredState"], false);
        assert_eq!(lines[0]["target"], "reg:[DIR]/machine.reg");
        assert_eq!(lines[1], json!([PLACE]));

        let (run, lines) = call(&machine, "set", resource, &input, true);
        run.code(0);
        let mut expected = lines[0].clone();
        assert_eq!(lines[0]["_inDesiredState"], true);
        assert_eq!(lines[0]["_restartRequired"], json!([{ "service": "IISADMIN" }]));
        let what_if = lines[0]["_metadata"]["whatIf"].as_array().unwrap();
        assert!(what_if.contains(&json!(r#"+"DisableRealmHint"=dword:00000001"#)), "{what_if:?}");
        assert_eq!(machine.export(), before);
        assert!(machine.journals().is_empty());

        let (run, lines) = call(&machine, "set", resource, &input, false);
        run.code(0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["_inDesiredState"], true);
        // What-if had printed the same state, apart from the journal.
        expected.as_object_mut().unwrap().remove("_metadata");
        expected["journal"] = lines[0]["journal"].clone();
        assert_eq!(lines[0], expected);
        assert_eq!(lines[0]["_restartRequired"], json!([{ "service": "IISADMIN" }]));
        assert!(Path::new(&machine.path("state/journal").join(&machine.journals()[0])).exists());
        assert!(lines[0]["journal"].is_string());

        let (run, lines) = call(&machine, "test", resource, &input, false);
        run.code(0);
        assert_eq!((&lines[0]["_inDesiredState"], &lines[1]), (&json!(true), &json!([])));
        let (run, lines) = call(&machine, "set", resource, &input, false);
        run.code(0);
        assert_eq!(lines[0].get("_restartRequired"), None);
        let (run, lines) = call(&machine, "get", resource, &input, false);
        run.code(0);
        assert_eq!(lines[0]["_inDesiredState"], true);
    }
}

#[test]
fn a_blocked_spec_is_not_in_desired_state_and_no_failure() {
    let machine = Machine::new();
    machine.set_dll([6, 5, 7638, 1]);
    let before = machine.export();
    let input = on(&machine, json!({}));
    let (run, lines) = call(&machine, "test", SPEC, &input, false);
    run.code(0);
    assert_eq!(lines[0]["_inDesiredState"], false);
    assert!(lines[0]["result"]["reasons"][0].as_str().unwrap().contains("6.5.7638.1"), "{}", lines[0]);
    assert_eq!(lines[1], json!(["KB909094"]));
    let (run, lines) = call(&machine, "set", SPEC, &input, false);
    let run = run.code(0);
    assert_eq!((&lines[0]["_inDesiredState"], &lines[0]["result"]["outcome"]), (&json!(false), &json!("blocked")));
    assert!(run.stderr.contains("dsc-not-set") && run.stderr.starts_with("{\"warn\""), "{}", run.stderr);
    assert_eq!(machine.export(), before);
}

#[test]
fn what_cannot_be_read_is_not_in_desired_state() {
    let machine = Machine::new();
    let input = json!({ "target": on(&machine, json!({}))["target"] });
    let (run, lines) = call(&machine, "test", SPEC, &input, false);
    run.code(0);
    assert_eq!((&lines[0]["_inDesiredState"], &lines[0]["result"]["outcome"]), (&json!(false), &json!("unknown")));
    let missing = json!({ "target": format!("reg:{}", machine.path("missing.reg").display()) });
    let (run, lines) = call(&machine, "test", SPEC, &missing, false);
    assert!(lines.is_empty() && run.code(3).stderr.starts_with("{\"error\""));
}

#[test]
fn a_spec_that_does_not_apply_is_in_desired_state() {
    let machine = Machine::with(&[("\"Services Version\"=dword:00000041", "\"Services Version\"=dword:00000050")]);
    let (run, lines) = call(&machine, "test", SPEC, &on(&machine, json!({})), false);
    run.code(0);
    assert_eq!(lines[0]["_inDesiredState"], true);
    assert_eq!(lines[0]["result"]["outcome"], "not_applicable");
}

#[test]
fn export_lists_what_applies_and_its_output_is_input() {
    let machine = Machine::new();
    let input = on(&machine, json!({ "specs": ["KB909094", "KB926642"] }));
    let (run, lines) = call(&machine, "export", LIST, &input, false);
    run.code(0);
    assert_eq!(lines[0]["specs"], json!(["KB909094"]));
    call(&machine, "get", LIST, &on(&machine, lines[0].clone()), false).0.code(0);
    let (run, lines) = call(&machine, "export", SPEC, &on(&machine, json!({})), false);
    run.code(0);
    assert_eq!(lines[0]["realm_hint"], 1);
    let all = machine.run_with("dsc export", &json!({ "target": input["target"] }).to_string()).code(0);
    assert!(all.stdout.lines().count() > 1, "{}", all.stdout);
}

#[test]
fn wrong_input_and_wrong_types_are_refused_in_traces() {
    let machine = Machine::new();
    for (line, input, code) in [
        ("dsc test", "{}", "dsc-input"),
        ("dsc test", "{\"specs\":[\"KB1\"]}", "dsc-input"),
        ("dsc get --type Kbfix.Spec/KB909094", "{\"realm_hint\":7}", "setting-not-allowed"),
        ("dsc get --type Kbfix.Spec/KB90909", "{}", "dsc-type"),
        ("dsc set @state", "{\"specs\":[\"kbfix: 1\\nid: X\\n\"]}", "specs[0]:1:1"),
    ] {
        let run = machine.run_with(line, input).code(2);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
        for trace in run.stderr.lines() {
            let trace: Value = serde_json::from_str(trace).unwrap();
            assert!(trace["error"].is_string(), "{trace}");
        }
        assert!(run.stderr.contains(code), "{line}: {}", run.stderr);
    }
}

#[test]
fn secret_data_is_in_no_answer() {
    let machine = Machine::new();
    let spec = "kbfix: 1\nid: S\ntitle: T\nparameters: { token: { description: t, type: string, sensitive: true } }\n\
                registry:\n  - key: HKLM\\SOFTWARE\\Microsoft\\Exchange\\Setup\n    values: { Token: { type: REG_SZ, data: { parameter: token } } }\n";
    let input = on(&machine, json!({ "specs": [spec], "parameters": { "token": { "secureString": "hunter2" } } }));
    for (method, what_if) in [("test", false), ("get", false), ("set", true), ("set", false)] {
        let (run, _) = call(&machine, method, LIST, &input, what_if);
        let run = run.code(0);
        assert!(!run.stdout.contains("hunter2") && !run.stderr.contains("hunter2"), "{}", run.stdout);
    }
    assert!(fs::read_to_string(machine.path("machine.reg")).unwrap().contains("hunter2"));
}

#[test]
fn no_answer_repeats_sensitive_data_that_was_given_as_plain_text() {
    let machine = Machine::new();
    let spec = |parameter: &str, rule: &str| {
        format!(
            "kbfix: 1\nid: S\ntitle: T\nparameters: {{ token: {{ description: t, type: string{parameter} }}, plain: {{ \
             description: p, default: 1 }} }}\nregistry:\n  - key: HKLM\\SOFTWARE\\Microsoft\\Exchange\\Setup\n    values:\n      \
             Plain: {{ type: REG_DWORD, data: {{ parameter: plain }}, keep: none }}\n      Token: {{ {rule} }}\n"
        )
    };
    let used = "type: REG_SZ, data: { parameter: token }";
    let declared = spec(", sensitive: true", used);
    let of_value = spec("", &format!("{used}, sensitive: true"));
    for text in [&declared, &of_value] {
        let given = json!({ "specs": ["KB909094", text], "parameters": { "token": "hunter2", "plain": 1 } });
        for (method, what_if) in [("test", false), ("get", false), ("export", false), ("set", true), ("set", false)] {
            let (run, lines) = call(&machine, method, LIST, &on(&machine, given.clone()), what_if);
            let run = run.code(0);
            assert!(!run.stdout.contains("hunter2") && !run.stderr.contains("hunter2"), "{method}: {}", run.stdout);
            assert_eq!(lines[0]["parameters"], json!({ "plain": 1 }));
            if method != "export" {
                assert_eq!(lines[0]["specs"][1], **text);
            }
        }
    }
    // The text of a spec that contains sensitive data.
    for (text, token) in [
        (spec(", sensitive: true, default: hunter2", used), "hunter3"),
        (spec(", sensitive: true", &format!("{used}, allowed: [hunter2]")), "hunter2"),
        (spec("", &format!("{used}, sensitive: true, keep: {{ one_of: [hunter2] }}")), "hunter2"),
        (spec("", "type: REG_SZ, data: hunter2, sensitive: true"), "a"),
    ] {
        let given = json!({ "specs": [text], "parameters": { "token": token } });
        for method in ["test", "get"] {
            let (run, lines) = call(&machine, method, LIST, &on(&machine, given.clone()), false);
            assert!(!run.code(0).stdout.contains("hunter"), "{lines:?}");
            assert_eq!(lines[0]["specs"], json!(["S"]));
        }
        // Without its text, the spec would be no valid input.
        let (run, lines) = call(&machine, "export", LIST, &on(&machine, given.clone()), false);
        run.code(0).says("S is left out, because the text of this spec contains sensitive data");
        assert_eq!(lines, Vec::<Value>::new());
    }
    // Mistakes in the input.
    for wrong in [json!(-4711), json!(0.4711), json!([4711]), json!({ "text": "4711" })] {
        let given = json!({ "specs": [declared], "parameters": { "token": wrong } }).to_string();
        let run = machine.run_with("dsc get", &given).code(2);
        assert!(run.stderr.contains("dsc-input") && !run.stderr.contains("4711"), "{}", run.stderr);
    }
}

#[test]
fn users_whose_registry_cannot_be_read_are_the_only_difference_after_set() {
    let machine = Machine::new();
    let list = r"[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
    let (here, away) = ("S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002");
    machine.set_export(&format!(
        "Windows Registry Editor Version 5.00\r\n\r\n{list}]\r\n\r\n{list}\\{here}]\r\n\r\n{list}\\{away}]\r\n\r\n\
         [HKEY_USERS\\{here}\\Software]\r\n\r\n"
    ));
    let spec = "kbfix: 1\nid: S\ntitle: T\nregistry:\n  - key: HKCU\\Software\\X\n    values: { V: { type: REG_SZ, data: a } }\n";
    let input = on(&machine, json!({ "specs": [spec] }));
    let place = format!(r#"HKU\{here}\Software\X "V""#);
    let (run, lines) = call(&machine, "test", LIST, &input, false);
    run.code(0);
    assert_eq!(lines[1], json!([place, "S"]));
    let (_, planned) = call(&machine, "set", LIST, &input, true);
    let (run, lines) = call(&machine, "set", LIST, &input, false);
    let run = run.code(0);
    assert_eq!((&lines[0]["_inDesiredState"], &lines[0]["results"][0]["outcome"]), (&json!(false), &json!("changed")));
    assert_eq!((&planned[0]["_inDesiredState"], &planned[0]["results"]), (&json!(false), &lines[0]["results"]));
    assert!(run.stderr.contains("S: applied, but not for all users: ") && run.stderr.contains(away), "{}", run.stderr);
    let (run, lines) = call(&machine, "test", LIST, &input, false);
    run.code(0);
    assert_eq!(lines[1], json!(["S"]));
}

#[test]
fn what_if_prints_the_actual_state_if_set_would_fail() {
    let machine = Machine::new();
    let keys: String = (0..1001).map(|at| format!("[HKEY_LOCAL_MACHINE\\SOFTWARE\\X\\{at}]\r\n\r\n")).collect();
    machine.set_export(&format!("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\X]\r\n\r\n{keys}"));
    let spec = "kbfix: 1\nid: S\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\X\\*\n    values: { V: { type: REG_SZ, data: a } }\n";
    let input = on(&machine, json!({ "specs": [spec] }));
    let (run, lines) = call(&machine, "set", LIST, &input, true);
    run.code(0);
    assert_eq!(lines[0]["_inDesiredState"], false);
    assert!(
        lines[0]["_metadata"]["whatIf"][0].as_str().unwrap().starts_with("set would fail: "),
        "{}",
        lines[0]["_metadata"]
    );
    assert_eq!(lines[0]["results"][0]["outcome"], "changes_pending");
    call(&machine, "set", LIST, &input, false).0.code(2);
}
