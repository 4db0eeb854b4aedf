//! A message as an e-mail.

use std::{error::Error, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor,
    message::{
        Mailbox, SinglePart,
        header::{Header, HeaderName, HeaderValue},
    },
    transport::smtp::extension::ClientId,
};

use super::message::Message;
use crate::domain::Timestamp;

/// A channel that has not answered by then has not accepted the message.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(15);

/// RFC 3834: no person wrote it, so no absence notice answers it.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Builds the mail: text in UTF-8, with a subject that RFC 2047 encodes.
pub(super) fn build(
    (from, to): (&Mailbox, &[Mailbox]),
    message: &Message,
    now: Timestamp,
) -> Result<Mail, String> {
    // The same for every attempt, so that a mail that arrives twice is shown once.
    let id = format!("<{}@{}>", message.id, from.email.domain());
    let mail = Mail::builder().from(from.clone()).subject(&message.subject).message_id(Some(id));
    let mail = to.iter().fold(mail.date(now.into()), |mail, mailbox| mail.to(mailbox.clone()));
    let mail = mail.header(AutoSubmitted).singlepart(SinglePart::plain(message.text.clone()));
    mail.map_err(|_| "the mail cannot be built".to_owned())
}

/// Hands the mail to the server.
pub(super) async fn send((server, hello): (&str, &str), mail: Mail) -> Result<(), String> {
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(server)
        .map_err(|_| "not an SMTP URL".to_owned())?
        .hello_name(ClientId::Domain(hello.to_owned()))
        .timeout(Some(SEND_TIMEOUT))
        .build();
    transport.send(mail).await.map(drop).map_err(|error| match error.status() {
        Some(code) => format!("SMTP status {code}"),
        None => "the mail server cannot be reached".to_owned(),
    })
}
