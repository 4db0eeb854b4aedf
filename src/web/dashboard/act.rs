//! Every change that a page asks for: of an operator, by a form of their own session, in one transaction with its audit
//! line. After it the browser is sent to a page that can be loaded again without doing it again.

use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Dash,
    guard::Refusal,
    session::{Visitor, is_foreign},
};
use crate::actions::{Actor, Declined};

/// The largest form: a thousand ticked boxes.
const FORM_LIMIT: usize = 128 << 10;

/// A form of an operator.
pub(super) struct Asked {
    pub(super) visitor: Visitor,
    fields: Vec<(String, String)>,
}

impl FromRequest<Dash> for Asked {
    type Rejection = Response;

    async fn from_request(request: Request, dash: &Dash) -> Result<Self, Response> {
        use axum::extract::FromRequestParts;

        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, dash).await?;
        let refused = |refusal: Refusal| refusal.into_response();
        let body = axum::body::to_bytes(body, FORM_LIMIT).await.map_err(|_| refused(Refusal::Form))?;
        let request = Request::from_parts(parts, body.into());
        let foreign = is_foreign(request.headers());
        let axum::Form(fields): axum::Form<Vec<(String, String)>> =
            axum::Form::from_request(request, &()).await.map_err(|_| refused(Refusal::Form))?;
        let asked = Self { visitor, fields };
        if !asked.visitor.is_operator() {
            return Err(refused(Refusal::NotAllowed));
        }
        if foreign || asked.field("csrf") != Some(&asked.visitor.csrf) {
            return Err(refused(Refusal::Form));
        }
        Ok(asked)
    }
}

impl Asked {
    /// A field; nothing where it is empty.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A field that must be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.field(name).ok_or(Refusal::Form)
    }

    /// Every id that was ticked.
    pub(super) fn ids(&self) -> Result<Vec<Uuid>, Refusal> {
        let ticked = self.fields.iter().filter(|(key, _)| key == "id");
        ticked.map(|(_, value)| value.parse().map_err(|_| Refusal::Form)).collect()
    }

    /// Carries it out, all or nothing.
    pub(super) async fn carry_out<T>(
        &self,
        dash: &Dash,
        deed: impl AsyncFnOnce(&mut PgConnection, &Actor<'_>) -> Result<T, Declined>,
    ) -> Result<T, Refusal> {
        let actor = Actor { name: &self.visitor.token.name, clock: &*dash.clock, entropy: &dash.entropy };
        let mut db = dash.pool.begin().await?;
        let done = deed(&mut db, &actor).await?;
        db.commit().await?;
        Ok(done)
    }
}
