//! The section `[alerts]`.

use lettre::message::Mailbox;
use reqwest::Url;

use super::section::Section;
use crate::{
    background::notifications::{Channel, ChannelKind, Options},
    domain::{alert::GracePeriod, language::Language},
    vendors::http::dns::names_private_host,
};

pub(super) fn read_alerts(mut section: Section<'_>, public_url: &str, allow_private: bool) -> Options {
    let grace_period = GracePeriod { before: section.duration("after"), between: section.duration("remind") };
    let backlog_older_than = section.duration("backlog_older_than");
    let waiting_longer_than = section.duration("waiting_longer_than");
    let language = section.choice("language", &[("en", Language::English), ("fi", Language::Finnish)]);
    let tables = section.tables("channels").into_iter();
    let channels: Vec<_> =
        tables.filter_map(|table| read_channel(table, public_url, allow_private)).collect();
    for (at, channel) in channels.iter().enumerate() {
        if channels[..at].iter().any(|earlier| earlier.name == channel.name) {
            section.add_error("channels", &format!("{:?} appears twice: names must be unique", channel.name));
        }
    }
    let runbook_url = read_runbook_url(&mut section, public_url);
    section.finish();
    let public_url = public_url.to_owned();
    Options {
        grace_period,
        backlog_older_than,
        waiting_longer_than,
        language,
        channels,
        public_url,
        runbook_url,
    }
}

/// The runbook's address: the configured one, else this service's own page.
fn read_runbook_url(section: &mut Section<'_>, public_url: &str) -> String {
    let given = section.text("runbook_url");
    if given.is_empty() {
        let own = |base: &str| format!("{base}/runbook");
        return Some(public_url.trim_end_matches('/'))
            .filter(|base| !base.is_empty())
            .map(own)
            .unwrap_or_default();
    }
    let is_page = |url: &Url| url.has_host() && ["https", "http"].contains(&url.scheme());
    if !Url::parse(&given).is_ok_and(|url| is_page(&url)) {
        section.add_error("runbook_url", "must be the https URL of a page, or empty for Silta's own");
    }
    given
}

fn read_channel(mut section: Section<'_>, public_url: &str, allow_private: bool) -> Option<Channel> {
    let name = section.required("name", "what the channel is called");
    let [webhook, slack, mail] =
        ["webhook", "slack", "mail"].map(|key| section.secret(key).expose().to_owned());
    let secret = section.secret("secret");
    let (from, to) = (section.text("from"), section.texts("to"));
    let kind = match [&webhook, &slack, &mail].map(|way| !way.is_empty()) {
        [true, false, false] => {
            check_url(&mut section, "webhook", &webhook, allow_private);
            let secret = webhook_secret(secret.expose());
            if secret.is_none() {
                section.add_error(
                    "secret",
                    "must be whsec_ and at least 24 bytes in base64: `silta config key` makes one",
                );
            }
            secret.map(|secret| ChannelKind::Webhook { url: webhook, secret })
        }
        [false, true, false] => {
            check_url(&mut section, "slack", &slack, allow_private);
            Some(ChannelKind::Slack { url: slack })
        }
        [false, false, true] => {
            let mailbox = |text: &String| text.parse::<Mailbox>().ok();
            let to: Option<Vec<_>> = to.iter().map(mailbox).collect();
            if from.parse::<Mailbox>().is_err() {
                section.add_error("from", "must be an e-mail address");
            }
            if to.as_ref().is_none_or(Vec::is_empty) {
                section.add_error("to", "must be a list of e-mail addresses");
            }
            check_mail_server(&section, &mail);
            mailbox(&from).zip(to).map(|(from, to)| {
                let hello = hello_name(public_url, &from);
                ChannelKind::Mail { server: mail, from, to, hello }
            })
        }
        _ => {
            section.add_error("name", "needs exactly one of webhook, slack and mail");
            None
        }
    };
    section.finish();
    kind.map(|kind| Channel { name, kind })
}

/// The name by which Silta greets a mail server (RFC 5321, 4.1.1.1): its own, else the sender's domain. Many servers refuse
/// an address there.
fn hello_name(public_url: &str, from: &Mailbox) -> String {
    let domain = |url: &str| Url::parse(url).ok()?.domain().map(ToOwned::to_owned);
    let senders = format!("http://{}", from.email.domain());
    domain(public_url).or_else(|| domain(&senders)).unwrap_or_else(|| "localhost".to_owned())
}

/// The bytes of a Standard Webhooks secret.
fn webhook_secret(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;

    let bytes = base64::engine::general_purpose::STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
    (24..=64).contains(&bytes.len()).then_some(bytes)
}

/// The rule of vendors' URLs: https to a public host. Names are checked once more when they are resolved.
fn check_url(section: &mut Section<'_>, key: &str, text: &str, allow_private: bool) {
    let url = Url::parse(text)
        .ok()
        .filter(|url| url.has_host() && (url.scheme() == "https" || allow_private && url.scheme() == "http"));
    match url {
        None => section.add_error(key, "must be an https URL"),
        Some(url) if names_private_host(&url) && !allow_private => section.add_error(
            key,
            "is a loopback or private address; outbound.dangerously_allow_private allows it for tests",
        ),
        Some(_) => {}
    }
}

/// A mail server's URL. A password is sent only where TLS is certain: `opportunistic` is whatever the network lets through.
fn check_mail_server(section: &Section<'_>, text: &str) {
    let Some(url) = Url::parse(text).ok().filter(|url| ["smtp", "smtps"].contains(&url.scheme())) else {
        return section.add_error("mail", "must be smtps://USER:PASSWORD@HOST, or smtp://HOST?tls=required");
    };
    let mut parameters = url.query_pairs();
    let is_encrypted =
        url.scheme() == "smtps" || parameters.any(|(key, value)| key == "tls" && value == "required");
    if !is_encrypted && (url.password().is_some() || !url.username().is_empty()) {
        section.add_error("mail", "has a password, so it needs TLS: smtps://…, or smtp://…?tls=required");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_server_is_greeted_by_a_name() {
        let from: Mailbox = "Silta <silta@example.fi>".parse().expect("a mailbox");
        for (public_url, name) in [
            ("https://silta.kauppa.fi", "silta.kauppa.fi"),
            ("http://192.0.2.1:8080", "example.fi"),
            ("", "example.fi"),
        ] {
            assert_eq!(hello_name(public_url, &from), name);
        }
    }
}
