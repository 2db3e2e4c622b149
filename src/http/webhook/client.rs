//! An HTTP client for one kind of request: a POST of a few bytes, of whose response only the status
//! counts.
//!
//! It connects to the very addresses that it has checked, so a name cannot resolve to another one in
//! between (DNS rebinding). It follows no redirects and uses no proxy.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rocket::tokio::io::{AsyncRead, AsyncWrite};
use rocket::tokio::net::{TcpStream, lookup_host};
use rocket::tokio::select;
use rocket::tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::DeliveryLimits;
use crate::model::network::is_public;
use crate::model::webhook::WebhookUrl;

/// The maximum size of a response's head, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The maximum size of a response's body that is read, in bytes. The connection of a longer one is
/// closed.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The number of addresses of a host that are tried; the time is divided among them.
const MAX_ADDRESSES: usize = 4;

/// The client, which trusts the certificate authorities that Mozilla trusts. Clones share them.
#[derive(Clone)]
pub(super) struct Client {
    tls: Result<Arc<ClientConfig>, String>,
    limits: DeliveryLimits,
}

impl Client {
    pub(super) fn new(limits: DeliveryLimits) -> Self {
        let authorities = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        Self { tls: tls_config(authorities).map(Arc::new).map_err(|e| e.to_string()), limits }
    }

    /// Sends the request and returns the status of the response, or the reason why there is none.
    pub(super) async fn send(
        &self,
        url: &WebhookUrl,
        request: Request<Full<Bytes>>,
    ) -> Result<u16, String> {
        let deadline = Instant::now() + self.limits.timeout;
        let sent = timeout_at(deadline, self.exchange(url, request, deadline)).await;
        sent.unwrap_or_else(|_| {
            Err(format!("the receiver did not answer within {:?}", self.limits.timeout))
        })
    }

    async fn exchange(
        &self,
        url: &WebhookUrl,
        request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<u16, String> {
        let socket = self.connect(url).await?;
        if !url.is_https() {
            return post(socket, request, deadline).await;
        }
        let name = ServerName::try_from(url.host().to_owned())
            .map_err(|_| "the host is no name for a certificate".to_owned())?;
        let connector = TlsConnector::from(Arc::clone(self.tls.as_ref().map_err(String::clone)?));
        let socket = connector.connect(name, socket).await;
        let socket = socket.map_err(|e| format!("cannot agree on TLS with the receiver: {e}"))?;
        post(socket, request, deadline).await
    }

    /// Connects to the first address that answers.
    async fn connect(&self, url: &WebhookUrl) -> Result<TcpStream, String> {
        let addresses = self.addresses(url).await?;
        let share = self.limits.timeout / u32::try_from(addresses.len()).unwrap_or(1);
        let mut failure = String::new();
        for address in addresses {
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => return Ok(socket),
                Ok(Err(e)) => failure = format!("cannot connect to {address}: {e}"),
                Err(_) => failure = format!("cannot connect to {address} within {share:?}"),
            }
        }
        Err(failure)
    }

    /// Returns the addresses of the host to which messages may go.
    async fn addresses(&self, url: &WebhookUrl) -> Result<Vec<SocketAddr>, String> {
        let host = url.host();
        let found = lookup_host((host, url.port())).await;
        let found = found.map_err(|e: io::Error| format!("cannot find {host}: {e}"))?;
        let allowed = self.limits.private_hosts.iter().any(|one| one.eq_ignore_ascii_case(host));
        let (mut usable, mut refused) = (Vec::new(), None);
        for address in found {
            match allowed || is_public(address.ip()) {
                true => usable.push(address),
                false => refused = Some(address.ip()),
            }
        }
        usable.truncate(MAX_ADDRESSES);
        match (usable.is_empty(), refused) {
            (false, _) => Ok(usable),
            (true, Some(address)) => Err(private_message(host, address)),
            (true, None) => Err(format!("{host} has no address")),
        }
    }
}

fn private_message(host: &str, address: IpAddr) -> String {
    format!(
        "{host} has the address {address}, which is not public; the setting webhook_private_hosts must name {host}"
    )
}

/// Returns the configuration of TLS that trusts these certificate authorities.
fn tls_config(authorities: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(authorities).with_no_client_auth())
}

/// Sends the request on a connection of its own, and returns the status of the response.
async fn post(
    socket: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
    deadline: Instant,
) -> Result<u16, String> {
    let failed = |e: hyper::Error| format!("the receiver broke off: {e}");
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD_BYTES);
    let (mut sender, connection) = builder.handshake(TokioIo::new(socket)).await.map_err(failed)?;
    let response = async {
        let response: Response<_> = sender.send_request(request).await?;
        let status = response.status().as_u16();
        // A receiver that is cut off while it answers may log that as an error. The status stands
        // however that ends.
        let _ = timeout_at(deadline, Limited::new(response, MAX_BODY_BYTES).collect()).await;
        Ok(status)
    };
    let (mut response, connection) = (pin!(response), pin!(connection));
    select! {
        biased;
        status = &mut response => status,
        // The connection has ended and left its response, or an error.
        _ = connection => response.await,
    }
    .map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
    use rocket::tokio::net::TcpListener;
    use rocket::tokio::spawn;
    use rstest::rstest;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

    use super::*;

    /// Starts a receiver with a certificate of its own for `localhost`. Returns its port.
    async fn serve() -> (u16, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let private = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], private.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((socket, _)) = listener.accept().await {
                let Ok(mut socket) = acceptor.accept(socket).await else { continue };
                let mut request = Vec::new();
                while !request.ends_with(b"the body")
                    && socket.read_buf(&mut request).await.unwrap() > 0
                {}
                socket.write_all(b"HTTP/1.1 204 Done\r\n\r\n").await.unwrap();
            }
        });
        (port, certificate)
    }

    async fn send(client: &Client, host: &str, port: u16) -> Result<u16, String> {
        let url = WebhookUrl::parse(&format!("https://{host}:{port}/")).unwrap();
        let body = Full::new(Bytes::from("the body"));
        client.send(&url, Request::post("/").header("host", "localhost").body(body).unwrap()).await
    }

    fn limits() -> DeliveryLimits {
        let private_hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        DeliveryLimits { timeout: Duration::from_secs(60), private_hosts }
    }

    /// A receiver is who its certificate says, and the certificate is trusted.
    #[rstest]
    #[case::trusted(true, "localhost", Ok(204))]
    #[case::unknown(false, "localhost", Err("UnknownIssuer"))]
    #[case::for_another_name(true, "127.0.0.1", Err("not valid for name"))]
    #[tokio::test]
    async fn a_certificate_is_checked(
        #[case] is_trusted: bool,
        #[case] host: &str,
        #[case] expected: Result<u16, &str>,
    ) {
        let (port, certificate) = serve().await;
        let mut client = Client::new(limits());
        if is_trusted {
            let mut authorities = RootCertStore::empty();
            authorities.add(certificate).unwrap();
            client.tls = Ok(Arc::new(tls_config(authorities).unwrap()));
        }
        match (send(&client, host, port).await, expected) {
            (Ok(status), Ok(expected)) => assert_eq!(status, expected),
            (Err(reason), Err(expected)) => {
                assert!(reason.starts_with("cannot agree on TLS"), "{reason}");
                assert!(reason.contains(expected), "{reason}");
            }
            (sent, _) => panic!("{sent:?}"),
        }
    }

    /// A response that does not end, in its head or in its body, ends with the time.
    #[rstest]
    #[case::head(b"HTTP/1.1 200 OK\r\nX: ".as_slice(), false)]
    #[case::body(b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), true)]
    #[tokio::test]
    async fn an_endless_response_is_cut_off(
        #[case] start: &'static [u8],
        #[case] is_delivered: bool,
    ) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(start).await.unwrap();
            while socket.write_all(&[b'x'; 1000]).await.is_ok() {}
        });
        let client = Client::new(limits());
        let url = WebhookUrl::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
        let request = Request::post("/").header("host", "x").body(Full::default()).unwrap();
        assert_eq!(client.send(&url, request).await.is_ok(), is_delivered);
    }
}
