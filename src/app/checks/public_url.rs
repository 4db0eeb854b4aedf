//! Whether `http.public_url`, which both vendors call, leads to this Silta: asked as they ask it, through the network.

use reqwest::{Client, Response, Url, header};
use serde_json::Value;

use super::reach;
use crate::{
    domain::{
        check::{Check, CheckName, Found},
        failed_call::Unreached,
        public_url::PublicUrlFinding,
    },
    runtime::clock::Entropy,
    security::instance::Instance,
    vendors::http::dns::{is_special, names_private_host},
};

/// The most bytes of an answer that are read.
const MAX_ANSWER_BYTES: usize = 4096;

/// What the check is about.
pub(crate) struct PublicUrl<'a> {
    /// `http.public_url`
    pub(crate) url: &'a str,
    /// `[outbound] dangerously_allow_private`: a sandbox may be on this machine.
    pub(crate) allow_private: bool,
}

impl PublicUrl<'_> {
    /// Asks `/livez` for a signature that only a process on our database can give. `client` follows no redirects and may call
    /// private addresses.
    pub(crate) async fn check(&self, client: &Client, instance: &Instance) -> Check {
        let leads = self.follow(client, instance).await;
        let check =
            |leads| Check::good(CheckName::PublicUrl, Found::PublicUrl { url: self.url.to_owned(), leads });
        match leads {
            PublicUrlFinding::Here => check(leads),
            PublicUrlFinding::HereWithinNetwork | PublicUrlFinding::HereWithoutTls => check(leads).warning(),
            _ => check(leads).failed(),
        }
    }

    async fn follow(&self, client: &Client, instance: &Instance) -> PublicUrlFinding {
        if self.url.is_empty() {
            return PublicUrlFinding::NotSet;
        }
        let Some(url) = Url::parse(self.url).ok().filter(Url::has_host) else {
            return PublicUrlFinding::NoUrl;
        };
        if names_private_host(&url) && !self.allow_private {
            return PublicUrlFinding::Private;
        }
        let nonce = hex::encode(Entropy::from_os().bytes::<16>());
        let asked = format!("{}/livez?nonce={nonce}", self.url.trim_end_matches('/'));
        match reach::ask(client, &asked).await {
            Err(why) => unreached(&url, why),
            Ok(answer) => {
                let signature = instance.sign(&nonce).unwrap_or_default();
                match judge(answer, &signature).await {
                    PublicUrlFinding::Here => self.doubt_the_way(&url).await,
                    elsewhere => elsewhere,
                }
            }
        }
    }

    /// What was reached by a private address, or without TLS, says little of the way from outside.
    async fn doubt_the_way(&self, url: &Url) -> PublicUrlFinding {
        if self.allow_private {
            return PublicUrlFinding::Here;
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let addresses = tokio::net::lookup_host((host, 0)).await.map(Iterator::collect::<Vec<_>>);
        let is_private = addresses.is_ok_and(|all| all.iter().all(|address| is_special(address.ip())));
        if is_private {
            return PublicUrlFinding::HereWithinNetwork;
        }
        if url.scheme() == "https" { PublicUrlFinding::Here } else { PublicUrlFinding::HereWithoutTls }
    }
}

fn unreached(url: &Url, why: Unreached) -> PublicUrlFinding {
    let host = url.host_str().unwrap_or_default().to_owned();
    PublicUrlFinding::Unreached { host, port: url.port_or_known_default().unwrap_or_default(), why }
}

/// What an answer says of the server that gave it.
async fn judge(mut answer: Response, signature: &str) -> PublicUrlFinding {
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
    if status.is_success() && !signature.is_empty() && json["signature"] == signature {
        return PublicUrlFinding::Here;
    }
    if status.is_success() && json["status"] == "alive" && json["version"].is_string() {
        return PublicUrlFinding::OtherSilta;
    }
    let shown = status.to_string();
    match (status.as_u16(), location) {
        (300..=399, Some(to)) => PublicUrlFinding::Redirects { to, status: shown },
        (502..=504, _) => PublicUrlFinding::ProxyFails { status: shown },
        _ => PublicUrlFinding::OtherServer { status: shown },
    }
}
