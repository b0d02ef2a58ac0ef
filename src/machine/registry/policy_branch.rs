//! The policy branches: only below these keys does Group Policy delete a value when its policy is removed.
//!
//! Anywhere else, the value of a removed policy stays in the registry ("tattoo"), and programs still read it.
//!
//! Source: Microsoft, "Registry Policy File Format" and "Administrative Template File Format" (the four trees of
//! policies).

use std::sync::LazyLock;

use super::{Key, KeyPath, RootKey, sid};

/// The policy branch in which a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyBranch {
    /// A policy branch below `HKLM`, for policies of the machine.
    Machine,
    /// A policy branch in the hive of a user or of the Default profile, for policies of users.
    User,
}

const BRANCHES: [&str; 2] = [r"Software\Policies", r"Software\Microsoft\Windows\CurrentVersion\Policies"];

static MACHINE: LazyLock<[KeyPath; 2]> = LazyLock::new(|| BRANCHES.map(|below| KeyPath::known(RootKey::Hklm, below)));

impl Key {
    /// Returns the policy branch that contains this key, which must have its canonical name. Returns `None` if there is
    /// none.
    ///
    /// The part of `HKLM\SOFTWARE` that only 32-bit programs see (`Wow6432Node`) has no policy branch.
    pub fn policy_branch(&self) -> Option<PolicyBranch> {
        let path = self.stored();
        let below = match path.root() {
            RootKey::Hklm => {
                return MACHINE.iter().any(|branch| path.is_within(branch)).then_some(PolicyBranch::Machine);
            }
            RootKey::Hkcu => path.below_root().to_owned(),
            RootKey::Hku => {
                let (hive, below) = path.below_root().split_once('\\')?;
                if !sid::is_person(hive) && !sid::is_default_profile(hive) {
                    return None;
                }
                below.to_owned()
            }
            RootKey::Hkcr | RootKey::Hkcc => return None,
        };
        let path = KeyPath::from_parts(RootKey::Hklm, &below).ok()?;
        MACHINE.iter().any(|branch| path.is_within(branch)).then_some(PolicyBranch::User)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_a_branch_by_its_canonical_name() {
        for (key, branch) in [
            (r"HKLM\SOFTWARE\Policies", Some(PolicyBranch::Machine)),
            (r"HKLM\software\policies\Vendor\App", Some(PolicyBranch::Machine)),
            (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System", Some(PolicyBranch::Machine)),
            (r"HKLM\SOFTWARE\PoliciesOther", None),
            (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion", None),
            (r"HKLM\SOFTWARE\Wow6432Node\Policies\Vendor", None),
            (r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Policies\System", None),
            (r"HKLM\SYSTEM\CurrentControlSet\Policies", None),
            (r"HKCU\Software\Policies\Vendor", Some(PolicyBranch::User)),
            (r"HKU\S-1-5-21-1-2-3-1001\Software\Policies\Vendor", Some(PolicyBranch::User)),
            (r"HKU\DefaultProfile\Software\Microsoft\Windows\CurrentVersion\Policies", Some(PolicyBranch::User)),
            (r"HKU\.DEFAULT\Software\Policies\Vendor", None),
            (r"HKU\S-1-5-18\Software\Policies\Vendor", None),
            (r"HKU\S-1-5-21-1-2-3-1001\Software\Vendor", None),
        ] {
            let key: Key = key.parse().unwrap();
            assert_eq!(key.one_name(false).policy_branch(), branch, "{key}");
        }
    }
}
