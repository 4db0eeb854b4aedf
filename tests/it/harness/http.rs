//! HTTP requests to the service.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use silta::vendors::http::tls_config;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// Calls the admin API of a service.
#[derive(Clone)]
pub struct Api {
    pub url: String,
    client: reqwest::Client,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn text(&self, pointer: &str) -> &str {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer} in {}", self.body))
    }

    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().expect("a list")
    }
}

impl Api {
    pub fn new(url: &str) -> Self {
        let builder = reqwest::Client::builder().tls_backend_preconfigured(tls_config());
        Self { url: url.to_owned(), client: builder.build().unwrap() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path).bearer_auth(super::OPERATOR)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::PUT, path).bearer_auth(super::OPERATOR).json(&body)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).bearer_auth(super::OPERATOR).json(&body)).await
    }
}

pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

pub async fn serve(router: axum::Router) -> (String, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, AbortOnDropHandle::new(task))
}
