//! A signed-in dashboard session without a browser.

use reqwest::redirect::Policy;

use crate::harness::TestSilta;

/// A signed-in session at the dashboard.
pub struct Session {
    client: reqwest::Client,
    url: String,
    cookie: String,
    pub csrf: String,
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

pub async fn sign_in(silta: &TestSilta, token: &str) -> reqwest::Response {
    let form = [("token", token), ("to", "//evil.example")];
    client().post(format!("{}/sign-in", silta.api.url)).form(&form).send().await.unwrap()
}

impl Session {
    pub async fn with(silta: &TestSilta, token: &str) -> Self {
        let answer = sign_in(silta, token).await;
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let mut session = Self { client: client(), url: silta.api.url.clone(), cookie, csrf: String::new() };
        let page = session.get("/connections").await.text().await.unwrap();
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        csrf.unwrap_or_default().clone_into(&mut session.csrf);
        session
    }

    /// The same session in Finnish.
    pub fn in_finnish(mut self) -> Self {
        self.cookie.push_str("; silta-language=fi");
        self
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.client.get(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        request.send().await.unwrap()
    }

    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        self.post_form(path, fields, "same-origin").await
    }

    /// Submits a form from a page that the browser names.
    pub async fn submit_from(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", self.csrf.as_str())]).collect();
        let request = self.client.post(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        request.header("referer", from).form(&fields).send().await.unwrap()
    }

    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)], site: &str) -> reqwest::Response {
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", self.csrf.as_str())]).collect();
        let request = self.client.post(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        request.header("sec-fetch-site", site).form(&fields).send().await.unwrap()
    }
}
