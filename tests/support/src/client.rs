//! A client over TCP.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::{TIMEOUT, document};

/// Opens a connection to `port` on this machine.
pub fn connect(port: u16) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket
}

/// Reads until the server closes the connection, and panics if it does not.
#[track_caller]
pub fn read_until_closed(mut socket: TcpStream) -> String {
    let mut bytes = Vec::new();
    if let Err(e) = socket.read_to_end(&mut bytes) {
        // The kernel resets a connection on which bytes arrive after the server has closed it.
        assert_eq!(e.kind(), ErrorKind::ConnectionReset, "the connection stays open");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A client that sends the headers it is given, and no others.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    port: u16,
    /// Headers of every request, such as the session's cookie.
    pub headers: Vec<(String, String)>,
}

/// A response with its whole body.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: ureq::http::HeaderMap,
    /// The body.
    pub text: String,
}

impl Response {
    /// Parses the body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|e| panic!("no JSON ({e}) with status {}: {}", self.status, self.text))
    }

    /// Returns the `data` of the Bottle contract's envelope.
    #[track_caller]
    pub fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    /// Returns a header's value, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Client {
    /// Creates a client of the server at `port` on this machine.
    pub fn new(port: u16) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        Self { agent, port, headers: Vec::new() }
    }

    /// Sends a request with these headers beside the client's own, and with `body` unless it is `None`.
    /// Panics if the OpenAPI document does not contain the response.
    #[track_caller]
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Response {
        let request = self.request(method, path, headers);
        let response = match body {
            Some(body) => {
                let request = request.body(body.to_vec()).unwrap();
                let request =
                    self.agent.configure_request(request).allow_non_standard_methods(true);
                self.agent.run(request.build())
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut response = response.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let response = Response {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.body_mut().with_config().limit(1 << 30).read_to_string().unwrap(),
        };
        document::check(method, path, &response);
        response
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> ureq::http::request::Builder {
        let uri = format!("http://127.0.0.1:{}{path}", self.port);
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        own.chain(headers.iter().copied()).fold(
            ureq::http::Request::builder().method(method).uri(uri),
            |request, (name, value)| request.header(name, value),
        )
    }

    /// Sends a GET for a file, which need not be text, and returns it with its headers.
    #[track_caller]
    pub fn download(&self, path: &str) -> (ureq::http::HeaderMap, Vec<u8>) {
        let request = self.request("GET", path, &[]).body(()).unwrap();
        let mut response = self.agent.run(request).unwrap();
        assert_eq!(response.status(), 200);
        let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        (response.headers().clone(), bytes)
    }

    /// Opens an event stream and returns its body, which does not end.
    #[track_caller]
    pub fn stream(&self, path: &str, headers: &[(&str, &str)]) -> impl Read + Send + use<> {
        let request = self.request("GET", path, headers).body(()).unwrap();
        let response = self.agent.run(request).unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response.into_body().into_reader()
    }

    /// Sends a GET.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], None)
    }

    /// Sends a POST with a JSON body.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.json("POST", path, body)
    }

    /// Sends a PUT with a JSON body.
    #[track_caller]
    pub fn put(&self, path: &str, body: &Value) -> Response {
        self.json("PUT", path, body)
    }

    /// Sends a DELETE without a body.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, &[], None)
    }

    /// Sends a request with a JSON body.
    #[track_caller]
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Response {
        let json = [("Content-Type", "application/json")];
        self.send(method, path, &json, Some(body.to_string().as_bytes()))
    }

    /// Logs in by the Bottle contract and keeps the cookie.
    #[track_caller]
    pub fn log_in(&mut self, username: &str, password: &str) {
        let credentials = json!({ "username": username, "password": password });
        let response = self.post("/api/sessions", &credentials);
        assert_eq!(response.status, 200, "{}", response.text);
        let cookie = response.header("set-cookie").split(';').next().unwrap().to_owned();
        self.headers.retain(|(name, _)| name != "Cookie");
        self.headers.push(("Cookie".into(), cookie));
    }

    /// Throws a bottle at this position and returns its id.
    #[track_caller]
    pub fn throw(&self, latitude: f64, longitude: f64) -> i64 {
        let location =
            json!({ "formatted_address": "", "latitude": latitude, "longitude": longitude });
        let response =
            self.post("/api/bottles", &json!({ "content": "a message", "location": location }));
        assert_eq!(response.status, 200, "{}", response.text);
        response.data()["bottle_id"].as_i64().unwrap()
    }
}
