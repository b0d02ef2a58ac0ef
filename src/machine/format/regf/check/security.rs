//! Checks the security records of a hive: the ring that they form, and the number of keys that each record stores.

use super::{
    super::{Node, security::SECURITY},
    Checker,
};

impl Checker<'_> {
    /// Checks the ring of security records that contains the record of the root key. Then reports the records that keys
    /// use but that are not in this ring.
    pub(super) fn security(&mut self) {
        let Ok(root) = self.hive.key(Node(self.hive.root)) else { return };
        let first = root.security();
        let mut at = first;
        let mut previous = None;
        loop {
            if !self.claim(at, "security record") {
                self.add("security-ring", at, "the security records do not form a ring");
                break;
            }
            let record = match self.hive.security_at(at) {
                Ok(record) => record,
                Err(error) => {
                    self.add_error("security-malformed", at, &error);
                    break;
                }
            };
            if previous.is_some_and(|previous| previous != record.previous) {
                self.add("security-ring", at, "the security record does not refer back to the record before it");
            }
            let keys = self.security.remove(&at).unwrap_or(0);
            if keys == 0 {
                self.add(
                    "security-unused",
                    at,
                    format!("the security record counts {} keys that use it, but no key uses it", record.references),
                );
            } else if keys != record.references {
                let message = format!(
                    "the security record counts {} keys that use it, but {keys} keys use it",
                    record.references
                );
                self.add("security-count", at, message);
            }
            previous = Some(at);
            at = record.next;
            if at == first {
                if self.hive.security_at(first).is_ok_and(|record| Some(record.previous) != previous) {
                    self.add(
                        "security-ring",
                        first,
                        "the first security record does not refer back to the last record of the ring",
                    );
                }
                break;
            }
        }
        for (at, keys) in std::mem::take(&mut self.security) {
            self.claim(at, SECURITY);
            let keys = if keys == 1 { "1 key uses".to_owned() } else { format!("{keys} keys use") };
            self.add("security-ring", at, format!("{keys} this record, which is not in the ring of security records"));
        }
    }
}
