//! Products for remote support and remote access to plants, told by the names that they use on the wire.

use crate::tables::remote_support::{CERTIFICATES, DOMAINS};

/// The product whose servers have names in this domain.
pub fn by_domain(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    DOMAINS.iter().find(|domain| is_within(name, domain.name)).map(|domain| domain.kind)
}

/// The product that a certificate's name belongs to: a domain, with or without a wildcard, or a name of its own.
pub fn by_name(name: &str) -> Option<&'static str> {
    let own = CERTIFICATES.iter().find(|own| name.eq_ignore_ascii_case(own.name)).map(|own| own.kind);
    own.or_else(|| by_domain(name))
}

fn is_within(name: &str, domain: &str) -> bool {
    let start = name.len().checked_sub(domain.len());
    let Some((before, end)) = start.and_then(|start| name.split_at_checked(start)) else { return false };
    end.eq_ignore_ascii_case(domain) && (before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_told_by_whole_labels() {
        let cases = [
            ("router7.teamviewer.com", Some("teamviewer")),
            ("TEAMVIEWER.COM.", Some("teamviewer")),
            ("*.teamviewer.com", Some("teamviewer")),
            ("notteamviewer.com", None),
            ("teamviewer.com.example", None),
            ("AnyNet Relay", Some("anydesk")),
            ("\u{e9}", None),
            ("", None),
        ];
        for (name, product) in cases {
            assert_eq!(by_name(name), product, "{name}");
        }
    }
}
