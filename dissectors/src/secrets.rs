//! What is told of a secret that was seen: of which kind it is, and whether everybody knows it. Never the secret, nor its
//! length.

use crate::activity::{Activity, Field};

/// Passwords that devices are shipped with, by the manuals of their makers.
const PASSWORDS: &[&[u8]] = &[
    b"",
    b"0000",
    b"1111",
    b"1234",
    b"12345",
    b"123456",
    b"12345678",
    b"2222",
    b"888888",
    b"9999",
    b"ABCD",
    b"access",
    b"admin",
    b"Admin",
    b"administrator",
    b"Administrator",
    b"adminadmin",
    b"calvin",
    b"changeme",
    b"cisco",
    b"default",
    b"factorycast",
    b"fwdownload",
    b"guest",
    b"isco",
    b"manager",
    b"master",
    b"ntpupdate",
    b"operator",
    b"OTTER",
    b"pass",
    b"password",
    b"Password",
    b"pcfactory",
    b"private",
    b"public",
    b"root",
    b"schneider",
    b"security",
    b"service",
    b"siemens",
    b"Siemens",
    b"supervisor",
    b"support",
    b"sysdiag",
    b"system",
    b"TAIL",
    b"test",
    b"toor",
    b"ubnt",
    b"USER",
    b"user",
    b"USERUSER",
    b"wago",
];

/// Community names that agents are shipped with.
const COMMUNITIES: &[&[u8]] = &[b"public", b"private", b"admin", b"manager", b"monitor", b"snmpd", b"write", b"cisco"];

/// True for a password that devices are shipped with, or the user's own name.
pub fn is_known_password(user: &[u8], password: &[u8]) -> bool {
    PASSWORDS.contains(&password) || password == user
}

/// The class of a community name: `public`, `private` or another that agents are shipped with, or `custom`.
pub fn community_class(community: &[u8]) -> &'static str {
    match community {
        b"public" => "public",
        b"private" => "private",
        _ if COMMUNITIES.contains(&community) => "default",
        _ => "custom",
    }
}

impl Activity {
    /// Tells that a secret of this kind was sent, and whether everybody knows it, where that could be told.
    pub fn put_secret(&mut self, kind: &'static str, is_known: Option<bool>) {
        self.put(Field::CredentialKind, kind);
        if let Some(is_known) = is_known {
            self.put(Field::CredentialDefault, if is_known { "true" } else { "false" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_told_from_others() {
        let cases: [(&[u8], &[u8], bool); 5] = [
            (b"root", b"root", true),
            (b"USER", b"USERUSER", true),
            (b"admin", b"", true),
            (b"eva", b"eva", true),
            (b"eva", b"correct horse", false),
        ];
        for (user, password, known) in cases {
            assert_eq!(is_known_password(user, password), known);
        }
        assert_eq!(
            (community_class(b"public"), community_class(b"cisco"), community_class(b"plant7")),
            ("public", "default", "custom")
        );
    }
}
