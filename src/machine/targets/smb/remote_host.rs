//! Parses the URI of a remote machine, `smb://[[DOMAIN;]USER@]HOST[:PORT][?smb1[&unsigned]]` or `…?unsigned`.

use std::{fmt, str::FromStr};

/// The TCP port that SMB usually uses.
const PORT: u16 = 445;

/// A remote machine and the account with which to log on, as the URI of a target names them. It contains no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The domain of the account; `None` if the URI names no domain.
    pub domain: Option<String>,
    /// The name of the account; `None` if the account in the credentials is used.
    pub user: Option<String>,
    /// The machine's name or IPv4 address, in lower case.
    pub name: String,
    /// The TCP port; `None` for the usual port 445.
    port: Option<u16>,
    /// Whether SMB 1 may be used. Windows Server 2003 supports no other version.
    pub smb1: bool,
    /// Whether kbfix accepts messages of the remote machine that are not signed.
    pub unsigned: bool,
}

/// The error for a string that is not the URI of a remote machine. Its message never contains the string, which may
/// contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The string does not have the form of a machine's URI.
    #[error(
        "expected the form smb://[[DOMAIN;]USER@]HOST[:PORT][?smb1[&unsigned]], with a name or an IPv4 address as HOST"
    )]
    Form,
    /// The account in the string contains a colon or a percent sign, after which a password could follow.
    #[error(
        "a target must not contain a password, because others can read it (it is not repeated here); \
         write it into a file, and give the path of the file in KBFIX_SMB_AUTH_FILE"
    )]
    Password,
    /// An unknown option follows the question mark.
    #[error("only smb1, unsigned or both (with & between them) may follow the question mark")]
    Option,
}

impl Host {
    /// Returns the TCP port; it is 445 if the URI names none.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(PORT)
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let is_scheme = |scheme: &&str| scheme.eq_ignore_ascii_case("smb://");
        let rest = text.get(..6).filter(is_scheme).and_then(|scheme| text.get(scheme.len()..));
        let rest = rest.ok_or(HostError::Form)?;
        // The last `@` counts: a password can contain an `@`, but a host name cannot.
        let (account, rest) = match rest.rsplit_once('@') {
            Some((account, rest)) => (Some(account), rest),
            None => (None, rest),
        };
        let (domain, user) = account.map(account_of).transpose()?.unwrap_or_default();
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (name, port) = match place.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok().filter(|port| *port > 0).ok_or(HostError::Form)?)),
            None => (place, None),
        };
        let (mut smb1, mut unsigned) = (false, false);
        for option in options.split('&').filter(|_| rest.contains('?')) {
            match option {
                "smb1" => smb1 = true,
                "unsigned" => unsigned = true,
                _ => return Err(HostError::Option),
            }
        }
        let port = port.filter(|port| *port != PORT);
        Ok(Self { domain, user, name: host_name(name)?, port, smb1, unsigned })
    }
}

/// Parses `DOMAIN;USER`, `DOMAIN\USER` or `USER` into a domain, if one is given, and an account, which is never `None`.
///
/// A colon or a percent sign is refused, because a password could follow it: after a colon in a URI, after a percent
/// sign in an argument of Samba.
fn account_of(account: &str) -> Result<(Option<String>, Option<String>), HostError> {
    if account.contains([':', '%']) {
        return Err(HostError::Password);
    }
    let (domain, user) = match account.split_once([';', '\\']) {
        Some((domain, user)) => (Some(domain), user),
        None => (None, account),
    };
    let is_name = |name: &str| !name.is_empty() && !name.chars().any(|c| c.is_control() || "/\\?@;\"".contains(c));
    if !is_name(user) || !domain.is_none_or(is_name) {
        return Err(HostError::Form);
    }
    Ok((domain.map(str::to_owned), Some(user.to_owned())))
}

/// Checks a host name, and returns it in lower case. Only some characters are allowed, because the name becomes part of
/// file names and of arguments for Samba, where other characters have a special meaning.
fn host_name(name: &str) -> Result<String, HostError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if name.is_empty() || name.len() > 253 || !name.chars().all(fits) || name.starts_with(['-', '.']) {
        return Err(HostError::Form);
    }
    Ok(name.to_ascii_lowercase())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("smb://")?;
        if let Some(user) = &self.user {
            if let Some(domain) = &self.domain {
                write!(f, "{domain};")?;
            }
            write!(f, "{user}@")?;
        }
        f.write_str(&self.name)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(match (self.smb1, self.unsigned) {
            (false, false) => "",
            (true, false) => "?smb1",
            (false, true) => "?unsigned",
            (true, true) => "?smb1&unsigned",
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::targets::smb::remote_host::*;

    #[test]
    fn it_prints_as_it_is_read() {
        for text in [
            "smb://fe1",
            "smb://fe1.example.com:1445",
            "smb://192.0.2.7?smb1",
            "smb://Administrator@fe1?unsigned",
            "smb://CORP;a.b c@fe1:1445?smb1&unsigned",
        ] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), text);
        }
        assert_eq!(r"SMB://CORP\a@FE1:445".parse::<Host>().unwrap().to_string(), "smb://CORP;a@fe1");
    }

    #[test]
    fn what_names_no_machine_is_refused_and_not_quoted() {
        for text in [
            "smb://u:geheim@h",
            "smb://:geheim@h:445",
            "smb://d;u:geh@eim@h",
            "smb://u%geheim@h",
            "smb://",
            "smb:h",
            "smb://u@",
            "smb://u:geheim",
            "smb://h/geheim",
            "smb://-h",
            "smb://h:0",
            "smb://h:99999",
            "smb://h?",
            "smb://h?smb2",
            "smb://[::1]",
            "smb://a b",
            "smb://@h",
            "smb://;u@h",
            "smb://h?smb1&",
        ] {
            let error = text.parse::<Host>().unwrap_err();
            assert!(!error.to_string().contains("geheim"), "{text}");
        }
        assert_eq!("smb://u:geheim@h".parse::<Host>(), Err(HostError::Password));
    }
}
