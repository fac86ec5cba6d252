//! Load: raw HTTP/1.1 over kept connections, bounded in time.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

/// What a load found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// Requests answered per second.
    pub rate: f64,
    /// Requests answered.
    pub requests: f64,
    /// Milliseconds that half of them took at most.
    pub p50: f64,
    /// Milliseconds that 99 of 100 took at most.
    pub p99: f64,
}

/// A GET request as bytes.
pub fn get(path: &str, cookie: Option<&str>) -> Vec<u8> {
    let cookie = cookie.map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: bench.example\r\n{cookie}\r\n").into_bytes()
}

/// Sends the requests in turn over so many connections for this long. Anything but a 200 ends it.
pub async fn run(at: SocketAddr, requests: &[Vec<u8>], connections: usize, time: Duration) -> Result<Found> {
    let requests: Arc<[Vec<u8>]> = requests.to_vec().into();
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for first in 0..connections {
        tasks.spawn(connection(at, requests.clone(), first, started + time));
    }
    let mut took = Vec::new();
    while let Some(done) = tasks.join_next().await {
        took.extend(done??);
    }
    let wall = started.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |part: f64| took.get((took.len() as f64 * part) as usize).map_or(0.0, |t| t.as_secs_f64() * 1e3);
    Ok(Found { rate: took.len() as f64 / wall, requests: took.len() as f64, p50: at(0.5), p99: at(0.99) })
}

async fn connection(
    at: SocketAddr,
    requests: Arc<[Vec<u8>]>,
    mut next: usize,
    until: Instant,
) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    let mut took = Vec::new();
    let mut buffer = Vec::with_capacity(64 * 1024);
    while Instant::now() < until {
        let started = Instant::now();
        let request = &requests[next % requests.len()];
        timeout(Duration::from_secs(60), exchange(&mut stream, request, &mut buffer)).await??;
        took.push(started.elapsed());
        next += 1;
    }
    Ok(took)
}

/// One request and its whole answer, which stays in the buffer.
async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Result<()> {
    stream.write_all(request).await?;
    buffer.clear();
    let (mut body_at, mut length) = (0, usize::MAX);
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the connection was closed");
        }
        if body_at == 0 {
            let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            body_at = end + 4;
            let head = std::str::from_utf8(&buffer[..end])?.to_ascii_lowercase();
            ensure!(head.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(buffer));
            let line = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            length = line.context("an answer without a length")?.trim().parse()?;
        }
        if buffer.len() >= body_at + length {
            return Ok(());
        }
    }
}

/// The body of one answer, for looking at.
pub async fn body(at: SocketAddr, request: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    let mut buffer = Vec::new();
    exchange(&mut stream, request, &mut buffer).await?;
    let text = String::from_utf8(buffer)?;
    Ok(text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

/// Waits until something answers 200 there; returns how long that took.
pub async fn until_up(at: SocketAddr, request: &[u8]) -> Result<Duration> {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        if let Ok(mut stream) = TcpStream::connect(at).await
            && exchange(&mut stream, request, &mut Vec::new()).await.is_ok()
        {
            return Ok(started.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bail!("nothing answers at {at}")
}
