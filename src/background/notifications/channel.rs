//! The channels that notifications are sent to.

use lettre::message::Mailbox;
use reqwest::header::HeaderValue;

use super::{mail, message::Message};
use crate::{domain::Timestamp, security::signature::sign_base64};

/// A channel.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The name in rows and logs.
    pub name: String,
    /// What it is.
    pub kind: ChannelKind,
}

/// The kinds of channels.
#[derive(Clone)]
pub enum ChannelKind {
    /// JSON, signed by Standard Webhooks 1.0 (standardwebhooks.com): `webhook-id`, `webhook-timestamp`,
    /// `webhook-signature`.
    Webhook {
        /// The address.
        url: String,
        /// The bytes after `whsec_`.
        secret: Vec<u8>,
    },
    /// `{"text": …}`, which Slack, Mattermost and many others accept.
    Slack {
        /// The address; secret.
        url: String,
    },
    /// E-mail.
    Mail {
        /// `smtps://user:password@host` or `smtp://host?tls=required`; secret.
        server: String,
        /// The sender.
        from: Mailbox,
        /// The recipients.
        to: Vec<Mailbox>,
        /// The name by which Silta greets the server.
        hello: String,
    },
}

impl std::fmt::Debug for ChannelKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Webhook { .. } => "Webhook",
            Self::Slack { .. } => "Slack",
            Self::Mail { .. } => "Mail",
        })
    }
}

impl Channel {
    /// Sends a message. The error text holds no secret.
    pub(super) async fn send(
        &self,
        client: &reqwest::Client,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), String> {
        let sending = async {
            match &self.kind {
                ChannelKind::Webhook { url, secret } => {
                    let body = message.fields.to_string();
                    let (id, at) = (message.id.to_string(), now.timestamp().to_string());
                    let signature = sign_base64(secret, format!("{id}.{at}.{body}").as_bytes());
                    let headers = [
                        ("content-type", "application/json".to_owned()),
                        ("webhook-id", id),
                        ("webhook-timestamp", at),
                        ("webhook-signature", format!("v1,{signature}")),
                    ];
                    post(client, url, &headers, body).await
                }
                ChannelKind::Slack { url } => {
                    let body = serde_json::json!({ "text": message.text }).to_string();
                    post(client, url, &[("content-type", "application/json".to_owned())], body).await
                }
                ChannelKind::Mail { server, from, to, hello } => {
                    let mail = mail::build((from, to), message, now)?;
                    mail::send((server, hello), mail).await
                }
            }
        };
        tokio::time::timeout(mail::SEND_TIMEOUT, sending)
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }
}

async fn post(
    client: &reqwest::Client,
    url: &str,
    headers: &[(&'static str, String)],
    body: String,
) -> Result<(), String> {
    let mut request = client.post(url).body(body);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_str(value).map_err(|_| "not a header".to_owned())?);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "no vendor is called, so there is no rate limit and no call log"
    )]
    let answer = request.send().await;
    match answer {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("status {}", answer.status().as_u16())),
        // The URL may hold a secret, so the error does not name it.
        Err(error) => {
            Err(if error.is_connect() { "cannot connect" } else { "the connection broke off" }.to_owned())
        }
    }
}
