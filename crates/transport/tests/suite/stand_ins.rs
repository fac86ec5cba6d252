//! Servers that misbehave on purpose, and a clock that jumps.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration::Request;
use transport::{AddressPolicy, Clock, HttpTransport, Limits, Pause};

/// The instant at which all tests run.
pub fn clock() -> Clock {
    let instant: DateTime<Utc> = "2026-03-04T05:06:07Z".parse().unwrap();
    Arc::new(move || instant)
}

/// A transport that may reach `server` and nothing else on this machine.
pub fn reaching(server: SocketAddr, limits: Limits) -> HttpTransport {
    let policy = AddressPolicy::allowing([server.to_string()]).unwrap();
    HttpTransport::new(policy, limits, clock()).unwrap()
}

/// A GET of `path` at `server`, over http.
pub fn get(server: SocketAddr, path: &str) -> Request {
    Request::get(format!("http://{server}{path}").parse().unwrap())
}

/// Serves every connection by `answer`, which is called once the request's head has been read.
pub fn serve(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            thread::spawn(move || {
                let mut stream = stream;
                if read_head(&mut stream) {
                    answer(stream);
                }
            });
        }
    });
    address
}

/// Serves the same bytes to everyone and closes.
pub fn serve_bytes(bytes: impl Into<Vec<u8>>) -> SocketAddr {
    let bytes = bytes.into();
    serve(move |mut stream| {
        let _ = stream.write_all(&bytes);
    })
}

fn read_head(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) if head.len() < 65_536 => head.push(byte[0]),
            _ => return false,
        }
    }
    true
}

/// A listener that nobody is to reach.
pub struct Canary {
    listener: TcpListener,
}

impl Canary {
    pub fn new() -> Self {
        Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap() }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Connections that arrived. Our own last one marks the end of the queue, so nothing is waited for.
    pub fn arrivals(&self) -> usize {
        let own = TcpStream::connect(self.address()).unwrap().local_addr().unwrap();
        let mut arrivals = 0;
        while self.listener.accept().unwrap().1 != own {
            arrivals += 1;
        }
        arrivals
    }
}

/// A clock that jumps over every wait and remembers it.
#[derive(Default)]
pub struct Jumping {
    waits: Mutex<Vec<Duration>>,
}

impl Jumping {
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

#[async_trait]
impl Pause for Jumping {
    async fn sleep(&self, time: Duration) {
        self.waits.lock().unwrap().push(time);
    }

    fn now(&self) -> Duration {
        self.waits.lock().unwrap().iter().sum()
    }
}
