//! Warns about rules that change how a service starts, which needs a restart of the computer.

use crate::{
    diag::Code,
    registry::{RootKey, ValueName},
    spec::{
        document::{ComputerRestart, Document},
        model::{DesiredKey, KeyPattern, KeyRule, NamePattern},
    },
};

use super::{Context, Part, Path, rules::RuleKey};

/// Warns if a rule requires a state of the value `Start` of a service, but the spec neither requires a restart of the
/// computer nor has a note about restarts. Windows reads `Start` only when the computer starts, so a restart of the
/// service is not enough.
///
/// Sources: Microsoft, "Database of Installed Services" and "ChangeServiceConfigW function". Only
/// `ChangeServiceConfigW` informs a running Windows of a new start type; a write to the registry does not.
pub(super) fn read_at_start(
    cx: &mut Context<'_>,
    document: &Document,
    rules: &[KeyRule],
    rule_keys: &[RuleKey],
    path: &Path,
) {
    if document.restart.as_ref().is_some_and(|r| r.computer == ComputerRestart::Required || r.note.is_some()) {
        return;
    }
    let mut warned = None;
    for (rule, RuleKey { number: at, .. }) in rules.iter().zip(rule_keys).filter(|(rule, _)| is_service(&rule.key)) {
        let DesiredKey::Values(values) = &rule.desired else { continue };
        let is_start = |name: &ValueName| name.as_str().eq_ignore_ascii_case("Start");
        // A rule for both views becomes two rules in the model, but there is only one warning.
        if let Some(value) = values.iter().find(|value| is_start(&value.name))
            && warned != Some(*at)
        {
            warned = Some(*at);
            let path = path.item(*at).field("values").field(value.name.as_str());
            let message = "Windows reads `Start` of a service when the computer starts, not when the service starts";
            let hint = "add `restart: { computer: required }`, or say in `restart.note` what else to do";
            cx.warning(Code::SERVICE_START, &path, Part::Name, message, hint);
        }
    }
}

/// Returns whether the key is `HKLM\SYSTEM\CurrentControlSet\Services\X`, where `X` is any name, with or without `*`.
fn is_service(key: &KeyPattern) -> bool {
    let above = ["SYSTEM", "CurrentControlSet", "Services"];
    let is = |(name, wanted): (&NamePattern, &str)| match name {
        NamePattern::Name(name) => name.as_str().eq_ignore_ascii_case(wanted),
        NamePattern::Like(_) => false,
    };
    key.root == RootKey::Hklm && key.names.len() == above.len() + 1 && key.names.iter().zip(above).all(is)
}
