//! `kbfix journal`: what was done, in the order in which it was done.

use crate::harness::Machine;

#[test]
fn list_and_show_tell_what_was_done() {
    let machine = Machine::new();
    let none = machine.run("journal list @state").code(0).says("there is no folder [DIR]/state");
    assert_eq!(none.stdout, "");
    machine.run("apply KB909094 @target @state").code(0);
    let journal = machine.journals()[0].trim_end_matches(".jsonl").to_owned();
    machine.run("rollback --last @state").code(0);
    insta::assert_snapshot!(machine.run("journal list @state").code(0).stdout, @r"
    [JOURNAL]  rolled back  KB909094  apply  reg:[DIR]/machine.reg
    [JOURNAL]  done         KB909094  rollback of [JOURNAL]  reg:[DIR]/machine.reg
    ");
    let shown = machine.run(&format!("journal show {journal} @state")).code(0);
    insta::assert_snapshot!(shown.stdout, @r#"
    [JOURNAL]  rolled back  KB909094  apply  reg:[DIR]/machine.reg
    plan [DIGEST]
    @@ [HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV] @@
    +[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV]
    +"DisableRealmHint"=dword:00000001
    [TIME] done, and read back
    [TIME] rolled back: [DIR]/state/journal/[JOURNAL].jsonl
    "#);
    let list = machine.run("journal list --format json @state").code(0).json();
    assert_eq!(list["journals"].as_array().unwrap().len(), 2);
    assert_eq!(list["journals"][0]["status"], "rolled_back");
    let shown = machine.run(&format!("journal show {journal} --format json @state")).code(0).json();
    assert_eq!(shown["changes"][0]["action"], "create");
    assert_eq!(shown["machine"]["computer_name"], "FRONTEND1");
}
