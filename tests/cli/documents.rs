//! Every document that a command writes is valid against its schema, which `kbfix schema` prints.

use serde_json::Value;

use crate::harness::Machine;

#[track_caller]
fn valid(document: &str, value: &Value) {
    let schema = Machine::new().run(&format!("schema {document}")).code(0).json();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
}

#[test]
fn reports_of_every_outcome_are_valid() {
    let machine = Machine::new();
    let report = |line: &str, code| valid("report", &machine.run(&format!("{line} --format json")).code(code).json());
    report("diff KB909094 @target --out @/plan.json", 1);
    report("apply KB909094 @target @state", 0);
    report("apply KB909094 @target @state", 0);
    report("apply --plan @/plan.json @target @state", 0);
    report("rollback --last --check @state", 1);
    machine.edit(&[("\"DisableRealmHint\"=dword:00000001", "\"DisableRealmHint\"=dword:00000007")]);
    report("apply --plan @/plan.json @target @state", 2);
    report("rollback --last @state", 6);
    report("rollback --last --force @state", 0);
    report("rollback --last @state", 2);
    report("apply KB909094 @target @state", 0);
    report("retire KB909094 @target @state --out @/retire.json", 1);
    report("diff --plan @/retire.json @target", 1);
    report("retire KB909094 @target @state", 0);
    report("retire KB909094 @target @state", 0);
    report("retire KB1 @target @state", 2);
    machine.set_dll([6, 5, 7638, 1]);
    report("diff KB909094 @target", 4);
    report("diff KB909094 --target reg:@/machine.reg", 4);
    report("diff KB909094 --target reg:@/missing.reg", 3);
    report("diff KB909094 --set realm_hint=2 @target", 2);
    report("diff KB909094 --target nonsense", 2);
    report("diff KB909094 --target snapshot:@/machine.reg", 3);
}

#[test]
fn a_report_says_what_its_parts_mean_so_that_callers_need_not() {
    const KEY: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\T";
    let values = "{ L: { type: REG_MULTI_SZ, data: [a, 'b\"'] }, Q: { type: REG_QWORD, data: 255 }, D: { type: REG_DWORD, data: 1 } }";
    let spec = format!("kbfix: 1\nid: T\ntitle: T\nregistry: [{{ key: {KEY}, values: {values} }}]\n");
    let machine = Machine::new();
    machine.write("t.yaml", &spec);
    let report = machine.run("diff @/t.yaml @target --format json").code(1).json();
    valid("report", &report);
    assert_eq!(report["specs"][0]["sentence"], "changes pending");
    let change = &report["specs"][0]["changes"][0];
    let key = KEY.replace("HKLM", "HKEY_LOCAL_MACHINE");
    assert_eq!(change["long_key"], key);
    assert_eq!(change["diff"]["heading"], format!("[{key}]"));
    assert_eq!(change["diff"]["before"], "");
    let lines = format!(
        "[{key}]\n\"D\"=dword:00000001\n\"L\"=hex(7):61,00,00,00,62,00,22,00,00,00,00,00\n; REG_MULTI_SZ [\"a\", \"b\\\"\"]\n\
         \"Q\"=hex(b):ff,00,00,00,00,00,00,00\n; REG_QWORD 0xff\n"
    );
    assert_eq!(change["diff"]["after"], lines);
    let readable: Vec<&Value> = change["values"].as_array().unwrap().iter().map(|v| &v["after"]["readable"]).collect();
    assert_eq!(readable, [&Value::Null, &r#"REG_MULTI_SZ ["a", "b\""]"#.into(), &"REG_QWORD 0xff".into()]);
}

#[test]
fn plans_and_snapshots_are_valid() {
    let machine = Machine::with_dav("\"DisableRealmHint\"=hex(4):01,00,00");
    machine.run("diff KB909094 @target --out @/plan.json").code(1);
    valid("plan", &serde_json::from_str(&machine.read("plan.json")).unwrap());
    machine.run("snapshot KB909094 @target --out @/s.json").code(0);
    valid("snapshot", &serde_json::from_str(&machine.read("s.json")).unwrap());
}

#[test]
fn findings_articles_and_journals_are_valid() {
    let machine = Machine::new();
    valid("findings", &machine.run("validate KB909094 --format json").code(0).json());
    valid("findings", &machine.run_with("validate - --format json", "kbfix: 1\nid: T\ntitel: T\n").code(2).json());
    valid("articles", &machine.run("show KB909094 KB926642 --format json").code(0).json());
    let list = || machine.run("journal list --format json @state").code(0).json();
    valid("journals", &list());
    machine.run("apply KB909094 @target @state").code(0);
    machine.run("rollback --last @state").code(0);
    let journals = list();
    valid("journals", &journals);
    assert_eq!(journals["journals"].as_array().unwrap().len(), 2);
    for file in machine.journals() {
        let id = file.trim_end_matches(".jsonl");
        valid("journal", &machine.run(&format!("journal show {id} --format json @state")).code(0).json());
    }
}

#[test]
fn what_the_check_of_a_hive_finds_is_valid() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("volume");
    kbfix::example::make(&root).unwrap();
    let file = root.join("Windows/System32/config/SYSTEM");
    let check = || machine.run(&format!("hive check {} --format json", file.display()));
    valid("hive-check", &check().code(0).json());
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4096 + 4] = 1; // the first bin names another offset than its own
    std::fs::write(&file, bytes).unwrap();
    let damaged = check().code(1).json();
    valid("hive-check", &damaged);
    assert_eq!(damaged["findings"][0]["severity"], "error");
    std::fs::write(&file, "no hive").unwrap();
    let refused = check().code(3).json();
    valid("hive-check", &refused);
    assert_eq!(refused["state"], serde_json::Value::Null);
    assert_eq!(refused["diagnostics"][0]["code"], "target-malformed");
}

#[test]
fn each_document_contains_the_warnings_about_the_specs() {
    let machine = Machine::new();
    let values = "values: { A: { type: REG_MULTI_SZ, data: [a, '', b] } }";
    machine
        .write("t.yaml", &format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\T\n    {values}\n"));
    std::fs::create_dir(machine.path("fleet")).unwrap();
    machine.run("snapshot @/t.yaml @target --out @/fleet/a.json").code(0);
    for line in [
        "diff @/t.yaml @target",
        "diff @/t.yaml --target snapshot:@/no",
        "apply @/t.yaml --check @target @state",
        "apply @/t.yaml --target snapshot:@/no @state",
        "symptoms @/t.yaml @target @state",
        "symptoms @/t.yaml --target snapshot:@/no @state",
        "fleet diff @/t.yaml --snapshots @/fleet",
        "fleet diff @/t.yaml --snapshots @/fleet --waivers @/no",
        "fleet plan @/t.yaml --snapshots @/fleet --out @/p.json",
        "fleet plan @/t.yaml --snapshots @/fleet --out @/no/p.json",
        "fleet impact @/t.yaml --base @/t.yaml --snapshots @/fleet",
        "fleet impact @/t.yaml --base @/no.yaml --snapshots @/fleet",
        "fleet drift @/fleet @/fleet @/t.yaml",
        "show @/t.yaml",
    ] {
        let document = machine.run(&format!("{line} --format json")).json();
        let codes: Vec<_> = document["diagnostics"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
        assert_eq!(codes[0], "empty-string", "{line}: {codes:?}");
    }
}

/// For each command with `--format json`: its schema, an error before the specs are read (or before the file that the
/// command is about), and an error after it.
const STOPPED: &[(&str, &str, &[&str])] = &[
    ("validate", "findings", &["@/no.yaml", "- --set x=1"]),
    ("show", "articles", &["@/no.yaml", "KB909094 --set no=1"]),
    ("library", "library", &["--for nonsense", "--for snapshot:@/no"]),
    ("diff", "report", &["@/no.yaml @target", "KB909094 --target snapshot:@/no"]),
    ("apply", "report", &["@/no.yaml @target @state", "KB909094 --target snapshot:@/no @state"]),
    ("retire", "report", &["--absent-from @/no @target @state", "KB909094 --target snapshot:@/no @state"]),
    ("rollback", "report", &["--last --state-dir @/machine.reg", "no @state"]),
    ("symptoms", "symptoms", &["@/no.yaml @target @state", "KB909094 --target snapshot:@/no @state"]),
    ("fleet diff", "fleet-report", &["KB909094 --snapshots @/no", "@/no.yaml --snapshots @/fleet"]),
    (
        "fleet plan",
        "fleet-report",
        &["KB909094 --snapshots @/no --out @/p.json", "KB909094 --snapshots @/fleet --out @/no/p.json"],
    ),
    (
        "fleet impact",
        "fleet-comparison",
        &["@/no.yaml --base KB909094 --snapshots @/fleet", "KB909094 --base @/no.yaml --snapshots @/fleet"],
    ),
    ("fleet drift", "fleet-comparison", &["@/no @/fleet KB909094", "@/fleet @/fleet @/no.yaml"]),
    ("journal list", "journals", &["--state-dir @/machine.reg"]),
    ("journal show", "journal", &["no --state-dir @/machine.reg", "no @state"]),
    ("hive check", "hive-check", &["@/no", "@/machine.reg"]),
];

#[test]
fn an_error_that_stops_a_command_is_in_its_document() {
    let machine = Machine::new();
    std::fs::create_dir(machine.path("fleet")).unwrap();
    machine.run("snapshot KB909094 @target --out @/fleet/a.json").code(0);
    for (command, schema, lines) in STOPPED {
        for line in *lines {
            let run = machine.run(&format!("{command} {line} --format json"));
            assert!(run.code >= 2 && run.stderr.is_empty(), "{command} {line}: {run:#?}");
            let document = run.json();
            valid(schema, &document);
            assert_eq!(document["diagnostics"][0]["severity"], "error", "{command} {line}: {document:#}");
        }
    }
}

#[test]
fn each_command_that_prints_json_is_tested_with_an_error() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/commands");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let page = std::fs::read_to_string(&path).unwrap();
        let command = path.file_stem().unwrap().to_str().unwrap().replace('-', " ");
        let is_tested = STOPPED.iter().any(|(tested, ..)| tested.starts_with(&command));
        assert_eq!(page.contains("- `json`: "), is_tested, "{command}");
    }
}

/// The standard output of these commands is a file that kbfix or another program reads, or an answer to Microsoft DSC,
/// which expects messages on standard error.
#[test]
fn an_error_is_not_in_a_file_for_another_program() {
    let machine = Machine::new();
    for line in [
        "snapshot KB909094 --target snapshot:@/no --out -",
        "import @/no.reg",
        "export @/no.yaml --format dsc",
        "dsc get --type no",
        "dsc manifest --out @/machine.reg",
    ] {
        let run = machine.run(line);
        assert!(run.code >= 2 && run.stdout.is_empty() && run.stderr.contains("error"), "{line}: {run:#?}");
    }
}

#[test]
fn a_snapshot_gives_the_same_diff_as_the_machine() {
    let machine = Machine::new();
    let note = machine.run("snapshot KB909094 @target --out @/s.json").code(0);
    assert_eq!((note.stdout.as_str(), note.stderr.as_str()), ("", "snapshot [DIR]/s.json\n"));
    let on = |target: &str| machine.run(&format!("diff KB909094 --format json {target}")).code(1).json();
    let (live, copy) = (on("@target"), on("--target snapshot:@/s.json"));
    assert_eq!(live["specs"], copy["specs"]);
    assert_eq!(live["machine"], copy["machine"]);
    // The snapshot is sufficient for the other parameter too, and an apply can change it.
    machine.run("diff KB909094 --set realm_hint=0 --target snapshot:@/s.json").code(1);
    let before = machine.read("s.json");
    machine.run("apply KB909094 --target snapshot:@/s.json @state").code(0);
    machine.run("diff KB909094 --target snapshot:@/s.json").code(0);
    machine.run("rollback --last @state").code(0);
    let facts = |text: &str| serde_json::from_str::<Value>(text).unwrap()["facts"].clone();
    assert_eq!(facts(&machine.read("s.json")), facts(&before));
    // The snapshot does not know keys for which it was not taken.
    let spec =
        "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\T\n    values: { a: { ensure: absent } }\n";
    machine.run_with("diff - --target snapshot:@/s.json", spec).code(4).says("; take a new one with this spec");
    // A plan made from it is for the machine itself.
    machine.write("s.json", &before);
    machine.run("diff KB909094 --target snapshot:@/s.json --out @/plan.json").code(1);
    machine.run("apply --plan @/plan.json @target @state").code(0).says("changed");
}
