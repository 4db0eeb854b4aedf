//! Whether `http.public_url`, which both vendors call, leads to this Silta: asked as they ask it, through the network.

use reqwest::{Client, Response, Url, header};
use serde_json::Value;

use super::{
    check::Check,
    reach::{self, Unreached},
};
use crate::{
    runtime::clock::Entropy,
    security::instance::Instance,
    vendors::http::dns::{is_special, names_private_host},
};

/// The most bytes of an answer that are read.
const MAX_ANSWER_BYTES: usize = 4096;

const NAME: &str = "public_url";

/// What the check is about.
pub(super) struct PublicUrl<'a> {
    /// `http.public_url`
    pub(super) url: &'a str,
    /// `[outbound] dangerously_allow_private`: a sandbox may be on this machine.
    pub(super) allow_private: bool,
}

impl PublicUrl<'_> {
    /// Asks `/livez` for a signature that only a process on our database can give. `client` follows no redirects and may call
    /// private addresses.
    pub(super) async fn check(&self, client: &Client, instance: &Instance) -> Check {
        let check = |found: String| Check::good("silta", NAME, found);
        if self.url.is_empty() {
            return check("is not set, so no vendor can call Silta".to_owned()).failed(
                "set http.public_url to the address that both vendors call, as https://silta.example.fi",
            );
        }
        let Some(url) = Url::parse(self.url).ok().filter(Url::has_host) else {
            return check(format!("{} is no URL", self.url))
                .failed("give http.public_url as https://silta.example.fi");
        };
        if names_private_host(&url) && !self.allow_private {
            return check(format!("{url} is an address of this machine or of a private network"))
                .failed("no vendor can call it: give http.public_url a name that is known to the world");
        }
        let nonce = hex::encode(Entropy::from_os().bytes::<16>());
        let asked = format!("{}/livez?nonce={nonce}", self.url.trim_end_matches('/'));
        match reach::ask(client, &asked).await {
            Err(why) => unreached(self.url, &url, &why),
            Ok(answer) => {
                let signature = instance.sign(&nonce).unwrap_or_default();
                let found = judge(self.url, answer, &signature).await;
                if found.is_failed() { found } else { self.doubt_the_way(&url, found).await }
            }
        }
    }

    /// What was reached by a private address, or without TLS, says little of the way from outside.
    async fn doubt_the_way(&self, url: &Url, found: Check) -> Check {
        if self.allow_private {
            return found;
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let addresses = tokio::net::lookup_host((host, 0)).await.map(Iterator::collect::<Vec<_>>);
        let is_private = addresses.is_ok_and(|all| all.iter().all(|address| is_special(address.ip())));
        if is_private {
            let text = format!("{}, by a private address: the vendors go another way", found.found);
            return Check { found: text, ..found }.warning("try it from another network: curl URL/livez");
        }
        if url.scheme() != "https" {
            let text = format!("{}, without TLS", found.found);
            return Check { found: text, ..found }
                .warning("anybody on the way can read what the vendors send: give it TLS");
        }
        found
    }
}

fn unreached(shown: &str, url: &Url, why: &Unreached) -> Check {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let (found, remedy) = match why {
        Unreached::UnknownName => (
            format!("{host} is a name that nobody knows"),
            "check the spelling of http.public_url, or create the name's record at its name servers".to_owned(),
        ),
        Unreached::Refused => (
            format!("nothing listens at {host}, port {port}"),
            "start silta serve and the proxy with TLS in front of it (deploy/Caddyfile), and open the port".to_owned(),
        ),
        Unreached::Tls(why) => (
            format!("TLS with {host} fails: {why}"),
            format!("give the proxy in front of silta serve a certificate that is valid for {host}"),
        ),
        Unreached::Timeout => (
            format!("{host}, port {port}, gives no answer in time"),
            "a firewall drops what comes in, or this network cannot call itself from inside: try from another one".to_owned(),
        ),
        Unreached::PrivateAddress | Unreached::Other(_) => (
            format!("{shown} cannot be reached: {why:?}"),
            "try it from another network: curl URL/livez".to_owned(),
        ),
    };
    Check::good("silta", NAME, found).failed(remedy)
}

/// What an answer says of the server that gave it.
async fn judge(shown: &str, mut answer: Response, signature: &str) -> Check {
    let status = answer.status();
    let location =
        answer.headers().get(header::LOCATION).and_then(|it| it.to_str().ok()).map(ToOwned::to_owned);
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let check = |found: String| Check::good("silta", NAME, found);
    if status.is_success() && !signature.is_empty() && json["signature"] == signature {
        return check(format!("{shown} leads to this Silta"));
    }
    if status.is_success() && json["status"] == "alive" && json["version"].is_string() {
        return check(format!("{shown} leads to another Silta, which works on another database"))
            .failed("end the other one, restart one that is older than this program, or lead the name to this machine");
    }
    match (status.as_u16(), location) {
        (300..=399, Some(location)) => check(format!("{shown} leads to {location} (status {status})"))
            .failed("set http.public_url to where it leads: the vendors' webhooks follow no redirects"),
        (502..=504, _) => check(format!("the proxy at {shown} answers {status}"))
            .failed("start silta serve; the proxy must lead to http.listen"),
        _ => check(format!("another server answers at {shown} (status {status})"))
            .failed("lead the name or the proxy to silta serve, for every path"),
    }
}
