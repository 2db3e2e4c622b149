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

/// The client. Clones share the certificates.
#[derive(Clone)]
pub(super) struct Client {
    tls: Result<Arc<ClientConfig>, String>,
    limits: DeliveryLimits,
}

impl Client {
    pub(super) fn new(limits: DeliveryLimits) -> Self {
        Self { tls: tls_config().map(Arc::new).map_err(|e| e.to_string()), limits }
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

/// Returns the configuration of TLS, with the certificate authorities of Mozilla.
fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(builder
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
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
