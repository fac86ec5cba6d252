//! Simulators behind loopback HTTP, for the demo and for benchmarks through the real transport.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Method, Request};
use poem::{
    Endpoint, Response, Server,
    http::{HeaderName, HeaderValue, StatusCode, header},
    listener::{Acceptor, Listener, TcpListener},
};
use tokio::{sync::oneshot, task::JoinHandle};
use url::Url;

use crate::{SharedWorld, Simulator};

/// Longest body of a request.
const LONGEST: usize = 1024 * 1024;

/// How simulators are served.
#[derive(Clone)]
pub struct ServeOptions {
    /// Where to listen: a loopback address; port 0 picks a free one.
    pub addr: SocketAddr,
    /// How long every answer takes at least.
    pub latency: Duration,
    /// What the world's clock follows; `None` leaves it where it is.
    pub clock: Option<Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self { addr: SocketAddr::from(([127, 0, 0, 1], 0)), latency: Duration::ZERO, clock: None }
    }
}

/// Running simulators. Dropping it stops them too, but waits for nothing.
pub struct Served {
    addr: SocketAddr,
    requests: Arc<AtomicU64>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Served {
    /// Where they are, without a slash at the end ("http://127.0.0.1:4100").
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The base that [`Simulator::credentials`] of this vendor wants.
    pub fn base_of(&self, vendor: &str) -> String {
        format!("http://{}/{vendor}", self.addr)
    }

    /// How many requests came so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Takes no more requests, finishes those under way (for at most two seconds) and ends.
    pub async fn stop(self) -> io::Result<()> {
        // The receiver is gone only if the server has ended already.
        let _ = self.stop.send(());
        self.task.await.map_err(io::Error::other)?
    }
}

/// Serves simulators of one world, each below `/<id>/`. Refuses addresses that others can reach.
pub async fn serve(
    simulators: Vec<Arc<dyn Simulator>>,
    world: SharedWorld,
    options: ServeOptions,
) -> io::Result<Served> {
    if !options.addr.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "simulators are served on a loopback address only"));
    }
    let acceptor = TcpListener::bind(options.addr).into_acceptor().await?;
    let addr = acceptor.local_addr().iter().find_map(|addr| addr.as_socket_addr().copied()).unwrap_or(options.addr);
    let requests = Arc::new(AtomicU64::new(0));
    let origin = Url::parse(&format!("http://{addr}")).map_err(io::Error::other)?;
    let (latency, clock) = (options.latency, options.clock);
    let mounted = Mounted { simulators, world, latency, clock, origin, requests: requests.clone() };
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(
        mounted,
        async {
            let _ = stopped.await;
        },
        Some(Duration::from_secs(2)),
    ));
    Ok(Served { addr, requests, stop, task })
}

struct Mounted {
    simulators: Vec<Arc<dyn Simulator>>,
    world: SharedWorld,
    latency: Duration,
    clock: Option<Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>>,
    origin: Url,
    requests: Arc<AtomicU64>,
}

impl Endpoint for Mounted {
    type Output = Response;

    async fn call(&self, request: poem::Request) -> poem::Result<Response> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.follow_clock();
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        let id = request.uri().path().split('/').nth(1).unwrap_or_default();
        let Some(simulator) = self.simulators.iter().find(|simulator| simulator.id() == id).cloned() else {
            return Ok(plain(StatusCode::NOT_FOUND, "no vendor is simulated here"));
        };
        let request = match self.read(request).await {
            Ok(request) => request,
            Err((status, why)) => return Ok(plain(status, why)),
        };
        let answer = simulator.answer(&self.world, &request);
        let mut response = Response::builder()
            .status(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            .body(answer.body);
        for (name, value) in &answer.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        Ok(response)
    }
}

impl Mounted {
    /// Moves the world's clock on, by whole seconds, so that it is rarely written.
    fn follow_clock(&self) {
        let Some(clock) = &self.clock else { return };
        let now = clock();
        let behind = |then: DateTime<Utc>| now - then >= TimeDelta::seconds(1);
        if behind(self.world.read().unwrap_or_else(PoisonError::into_inner).now) {
            self.world.write().unwrap_or_else(PoisonError::into_inner).now = now;
        }
    }

    async fn read(&self, request: poem::Request) -> Result<Request, (StatusCode, &'static str)> {
        let (parts, body) = request.into_parts();
        let method = match parts.method.as_str() {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => return Err((StatusCode::METHOD_NOT_ALLOWED, "this method is not simulated")),
        };
        let mut url = self.origin.clone();
        url.set_path(parts.uri.path());
        url.set_query(parts.uri.query());
        let mut read = Request::new(method, url);
        for (name, value) in &parts.headers {
            if let Ok(value) = value.to_str() {
                read.headers.push((name.as_str().to_owned(), value.to_owned()));
            }
        }
        let typed = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let bytes = body
            .into_bytes_limit(LONGEST)
            .await
            .map_err(|_| (StatusCode::PAYLOAD_TOO_LARGE, "the body is over 1 MiB or broke off"))?;
        read.body = body_of(typed, &bytes).ok_or((StatusCode::BAD_REQUEST, "the body is not JSON"))?;
        Ok(read)
    }
}

fn body_of(typed: &str, bytes: &Bytes) -> Option<Body> {
    if bytes.is_empty() {
        Some(Body::Empty)
    } else if typed.starts_with("application/x-www-form-urlencoded") {
        Some(Body::Form(url::form_urlencoded::parse(bytes).into_owned().collect()))
    } else if typed.starts_with("text/xml") {
        String::from_utf8(bytes.to_vec()).ok().map(Body::Xml)
    } else {
        serde_json::from_slice(bytes).ok().map(Body::Json)
    }
}

fn plain(status: StatusCode, why: &'static str) -> Response {
    Response::builder().status(status).body(why)
}
