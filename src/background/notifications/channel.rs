//! The channels that notifications are sent to.

use std::time::Duration;

use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor, message::Mailbox};
use reqwest::header::HeaderValue;

use super::message::Message;
use crate::{domain::Timestamp, security::signature::sign_base64};

/// A channel that has not answered by then has not accepted the message.
const SEND_TIMEOUT: Duration = Duration::from_secs(15);

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

async fn send_mail(server: &str, from: &Mailbox, to: &[Mailbox], message: &Message) -> Result<(), String> {
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(server)
        .map_err(|_| "not an SMTP URL".to_owned())?
        .timeout(Some(SEND_TIMEOUT))
        .build();
    let mut mail = Mail::builder().from(from.clone()).subject(&message.subject);
    for mailbox in to {
        mail = mail.to(mailbox.clone());
    }
    // The same for every attempt, so that a mail that arrives twice is shown once.
    let host = from.email.domain();
    let mail = mail.message_id(Some(format!("<{}@{host}>", message.id))).body(message.text.clone());
    let mail = mail.map_err(|_| "the mail cannot be built".to_owned())?;
    transport.send(mail).await.map(drop).map_err(|error| match error.status() {
        Some(code) => format!("SMTP status {code}"),
        None => "the mail server cannot be reached".to_owned(),
    })
}
