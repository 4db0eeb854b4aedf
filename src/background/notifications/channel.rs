//! The ways by which people are told.

use std::time::Duration;

use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor, message::Mailbox};
use reqwest::header::HeaderValue;

use super::message::Message;
use crate::{domain::Timestamp, security::signature::sign_base64};

/// A channel that does not answer within this takes nothing.
const SEND_TIMEOUT: Duration = Duration::from_secs(15);

/// A way by which people are told.
#[derive(Clone, Debug)]
pub struct Channel {
    /// What it is called in rows and logs.
    pub name: String,
    /// Which way.
    pub kind: ChannelKind,
}

/// Each kind of way.
#[derive(Clone)]
pub enum ChannelKind {
    /// JSON, signed as Standard Webhooks 1.0 says (standardwebhooks.com): `webhook-id`, `webhook-timestamp`,
    /// `webhook-signature`.
    Webhook {
        /// Where to.
        url: String,
        /// The bytes behind `whsec_`.
        secret: Vec<u8>,
    },
    /// `{"text": …}`, as Slack's incoming webhooks take it, and Mattermost's and many others'.
    Slack {
        /// Where to; secret.
        url: String,
    },
    /// E-mail.
    Mail {
        /// `smtps://user:password@host` or `smtp://host?tls=required`; secret.
        server: String,
        /// From whom.
        from: Mailbox,
        /// To whom.
        to: Vec<Mailbox>,
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
    /// Sends a message; the error is in words that give no secret away.
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
                ChannelKind::Mail { server, from, to } => send_mail(server, from, to, message).await,
            }
        };
        tokio::time::timeout(SEND_TIMEOUT, sending)
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
        reason = "no vendor is called: neither budget nor call_log are its business"
    )]
    let answer = request.send().await;
    match answer {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("status {}", answer.status().as_u16())),
        // The URL may hold a secret: it is not told.
        Err(error) => {
            Err(if error.is_connect() { "cannot connect" } else { "the connection broke off" }.to_owned())
        }
    }
}

async fn send_mail(server: &str, from: &Mailbox, to: &[Mailbox], message: &Message) -> Result<(), String> {
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(server)
        .map_err(|_| "not an SMTP URL".to_owned())?
        .timeout(Some(SEND_TIMEOUT))
        .build();
    let mut mail = Mail::builder().from(from.clone()).subject(&message.subject);
    for mailbox in to {
        mail = mail.to(mailbox.clone());
    }
    // The same on every try, so that a mail that arrived twice is shown once.
    let host = from.email.domain();
    let mail = mail.message_id(Some(format!("<{}@{host}>", message.id))).body(message.text.clone());
    let mail = mail.map_err(|_| "the mail cannot be built".to_owned())?;
    transport.send(mail).await.map(drop).map_err(|error| match error.status() {
        Some(code) => format!("SMTP status {code}"),
        None => "the mail server cannot be reached".to_owned(),
    })
}
