//! Patience and budgets. Nothing here waits: the clock jumps, or is tokio's paused one where several
//! callers run at once.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration::{Error, Kind, Method, Request, Response, Result, Retry, Transport};
use transport::{Budget, Chance, Limits, Pace, Patience, Patient, Pause, TokioPause};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::stand_ins::{Jumping, clock, get, reaching};

const BROAD: Pace = Pace { per_second: 1e6, burst: 1000, concurrent: 100, reserved: 0 };

fn seconds(n: f64) -> Duration {
    Duration::from_secs_f64(n)
}

fn no_chance() -> Chance {
    Arc::new(|| 0.0)
}

fn answer(status: u16, retry_after: Option<&str>) -> Response {
    let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned())).into_iter().collect();
    Response { status, headers, body: Default::default(), received_at: clock()() }
}

fn read() -> Request {
    Request::get("https://vendor.example/devices".parse().unwrap())
}

fn write() -> Request {
    Request::new(Method::Post, "https://vendor.example/tickets".parse().unwrap())
}

/// A vendor that answers from a list, then 200, and notes when it was asked.
struct Scripted {
    answers: Mutex<VecDeque<Result<Response>>>,
    pause: Arc<dyn Pause>,
    asked_at: Mutex<Vec<Duration>>,
    /// How long each answer takes.
    takes: Duration,
    running: Mutex<(usize, usize)>,
}

impl Scripted {
    fn new(pause: Arc<dyn Pause>, answers: impl IntoIterator<Item = Result<Response>>) -> Arc<Self> {
        Self::slow(pause, Duration::ZERO, answers)
    }

    fn slow(pause: Arc<dyn Pause>, takes: Duration, answers: impl IntoIterator<Item = Result<Response>>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self { answers, pause, takes, asked_at: Mutex::default(), running: Mutex::default() })
    }

    fn asked_at(&self) -> Vec<Duration> {
        self.asked_at.lock().unwrap().clone()
    }

    fn most_at_once(&self) -> usize {
        self.running.lock().unwrap().1
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, _: Request) -> Result<Response> {
        self.asked_at.lock().unwrap().push(self.pause.now());
        {
            let mut running = self.running.lock().unwrap();
            running.0 += 1;
            running.1 = running.1.max(running.0);
        }
        let next = self.answers.lock().unwrap().pop_front();
        if !self.takes.is_zero() {
            self.pause.sleep(self.takes).await;
        }
        self.running.lock().unwrap().0 -= 1;
        next.unwrap_or_else(|| Ok(answer(200, None)))
    }

    fn now(&self) -> DateTime<Utc> {
        clock()()
    }
}

/// Sends one request to a vendor that answers so, over a jumping clock.
async fn once(request: Request, answers: Vec<Result<Response>>) -> (Result<Response>, Vec<Duration>, Vec<Duration>) {
    let pause = Arc::new(Jumping::default());
    let vendor = Scripted::new(pause.clone(), answers);
    let budget = Arc::new(Budget::new(BROAD, pause.clone()));
    let outcome = Patient::new(vendor.clone(), budget, Patience::BACKGROUND, no_chance()).send(request).await;
    (outcome, vendor.asked_at(), pause.waits())
}

#[tokio::test]
async fn retry_after_is_waited_for_over_real_http() {
    let server = MockServer::start().await;
    let slow_down = ResponseTemplate::new(429).insert_header("Retry-After", "7");
    Mock::given(any()).respond_with(slow_down).up_to_n_times(1).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let pause = Arc::new(Jumping::default());
    let budget = Arc::new(Budget::new(Pace::default(), pause.clone()));
    let http = Arc::new(reaching(*server.address(), Limits::default()));
    let patient = Patient::new(http, budget, Patience::BACKGROUND, no_chance());
    assert_eq!(patient.send(get(*server.address(), "/")).await.unwrap().status, 200);
    assert!(pause.now() >= seconds(7.0), "{:?}", pause.waits());
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_fractions_and_dates() {
    for (value, least) in [("3", 3.0), ("1.5", 1.5), ("Wed, 04 Mar 2026 05:06:19 GMT", 12.0)] {
        for status in [429, 503] {
            let (outcome, asked_at, _) = once(read(), vec![Ok(answer(status, Some(value)))]).await;
            assert_eq!(outcome.unwrap().status, 200);
            assert!(asked_at[1] - asked_at[0] >= seconds(least), "{value}: {asked_at:?}");
        }
    }
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun_and_nobody_else_gets_through() {
    let pause = Arc::new(Jumping::default());
    let vendor = Scripted::new(pause.clone(), [Ok(answer(429, Some("3600")))]);
    let budget = Arc::new(Budget::new(BROAD, pause.clone()));
    let caller = |patience| Patient::new(vendor.clone(), budget.clone(), patience, no_chance());
    assert_eq!(caller(Patience::BACKGROUND).send(read()).await.unwrap().status, 429);
    assert_eq!(pause.waits(), [], "the answer is handed over at once");
    for patience in [Patience::BACKGROUND, Patience::INTERACTIVE] {
        let error = caller(patience).send(read()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(seconds(3600.0))));
    }
    assert_eq!(vendor.asked_at().len(), 1);
    pause.sleep(seconds(3600.0)).await;
    assert_eq!(caller(Patience::BACKGROUND).send(read()).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_is_sent_again_depends_on_the_outcome_and_the_request() {
    let lost = || Error::new(Kind::Unavailable, "lost");
    // outcome, sent again when idempotent, sent again when not
    let cases: Vec<(Result<Response>, bool, bool)> = vec![
        (Ok(answer(429, None)), true, true),
        (Ok(answer(408, None)), true, false),
        (Ok(answer(500, None)), true, false),
        (Ok(answer(502, None)), true, false),
        (Ok(answer(503, None)), true, false),
        (Ok(answer(503, Some("2"))), true, false),
        (Ok(answer(504, None)), true, false),
        (Err(lost()), true, false),
        (Err(lost().retry(Retry::After(seconds(2.0)))), true, false),
        (Err(lost().retry(Retry::No)), false, false),
        (Err(Error::new(Kind::Limit, "long")), false, false),
        (Err(Error::new(Kind::Refused, "private")), false, false),
        (Ok(answer(200, None)), false, false),
        (Ok(answer(302, None)), false, false),
        (Ok(answer(400, None)), false, false),
        (Ok(answer(401, None)), false, false),
        (Ok(answer(403, None)), false, false),
        (Ok(answer(404, None)), false, false),
        (Ok(answer(501, None)), false, false),
    ];
    for (outcome, idempotent, other) in cases {
        for (request, again) in [(read(), idempotent), (write().idempotent(), idempotent), (write(), other)] {
            let (_, asked_at, _) = once(request.clone(), vec![outcome.clone()]).await;
            assert_eq!(asked_at.len(), 1 + usize::from(again), "{request:?} after {outcome:?}");
        }
    }
}

#[tokio::test]
async fn it_gives_up_after_its_attempts_with_the_last_answer() {
    let trouble = [500, 502, 504, 500, 502, 504].map(|status| Ok(answer(status, None)));
    let (outcome, asked_at, waits) = once(read(), trouble.into()).await;
    assert_eq!(outcome.unwrap().status, 502);
    assert_eq!(asked_at.len(), 5);
    assert_eq!(waits, [0.375, 0.75, 1.5, 3.0].map(seconds), "doubled, at the least that chance allows");
}

#[tokio::test]
async fn chance_spreads_the_waits_and_the_longest_wait_bounds_them() {
    for (chance, expected) in
        [(0.0, [0.75, 1.5, 3.0, 3.0]), (0.5, [0.875, 1.75, 3.5, 3.5]), (1.0, [1.0, 2.0, 4.0, 4.0])]
    {
        let pause = Arc::new(Jumping::default());
        let vendor = Scripted::new(pause.clone(), (0..4).map(|_| Ok(answer(500, None))));
        let patience = Patience { first_wait: seconds(1.0), longest_wait: seconds(4.0), ..Patience::BACKGROUND };
        let budget = Arc::new(Budget::new(BROAD, pause.clone()));
        Patient::new(vendor, budget, patience, Arc::new(move || chance)).send(read()).await.unwrap();
        assert_eq!(pause.waits(), expected.map(seconds));
    }
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_kept() {
    let pause = Arc::new(TokioPause::default());
    let vendor = Scripted::new(pause.clone(), []);
    let pace = Pace { per_second: 20.0, burst: 5, concurrent: 50, reserved: 0 };
    let budget = Arc::new(Budget::new(pace, pause));
    let callers: Vec<_> = (0..25)
        .map(|_| {
            let patient = Patient::new(vendor.clone(), budget.clone(), Patience::BACKGROUND, no_chance());
            tokio::spawn(async move { patient.send(read()).await.unwrap() })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let asked_at = vendor.asked_at();
    assert_eq!(asked_at.iter().filter(|at| at.is_zero()).count(), 5, "the burst");
    let last = asked_at.iter().max().unwrap().as_secs_f64();
    assert!((1.0..1.2).contains(&last), "20 more at 20 a second: {last}");
    for start in &asked_at {
        let window = asked_at.iter().filter(|at| (*start..*start + seconds(0.5)).contains(at)).count();
        assert!(window <= 5 + 11, "{window} in half a second");
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_person_is_served_while_a_sync_uses_all_it_may() {
    let pause = Arc::new(TokioPause::default());
    let vendor = Scripted::slow(pause.clone(), seconds(5.0), []);
    let pace = Pace { per_second: 1.0, burst: 4, concurrent: 3, reserved: 1 };
    let budget = Arc::new(Budget::new(pace, pause.clone()));
    let sync: Vec<_> = (0..10)
        .map(|_| {
            let patient = Patient::new(vendor.clone(), budget.clone(), Patience::BACKGROUND, no_chance());
            tokio::spawn(async move { patient.send(read()).await })
        })
        .collect();
    pause.sleep(seconds(1.0)).await;
    assert_eq!(vendor.most_at_once(), 2, "one of three is kept back");
    let started = pause.now();
    let person = Patient::new(vendor.clone(), budget, Patience::INTERACTIVE, no_chance());
    person.send(read()).await.unwrap();
    assert_eq!(pause.now() - started, seconds(5.0), "only the vendor's own time");
    for caller in sync {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(vendor.most_at_once(), 3);
}

#[tokio::test]
async fn the_reserve_of_the_burst_is_for_a_person() {
    let pause = Arc::new(Jumping::default());
    let vendor = Scripted::new(pause.clone(), []);
    let pace = Pace { per_second: 0.001, burst: 3, concurrent: 3, reserved: 1 };
    let budget = Arc::new(Budget::new(pace, pause.clone()));
    let caller = |patience| Patient::new(vendor.clone(), budget.clone(), patience, no_chance());
    let mut sent = 0;
    while caller(Patience::BACKGROUND).send(read()).await.is_ok() {
        sent += 1;
    }
    assert_eq!(sent, 2);
    caller(Patience::INTERACTIVE).send(read()).await.unwrap();
    assert_eq!(caller(Patience::INTERACTIVE).send(read()).await.unwrap_err().kind, Kind::Throttled);
    assert_eq!(pause.waits(), [], "nobody waited for what could not come in time");
}

#[tokio::test(start_paused = true)]
async fn slow_down_stops_every_caller_of_the_connection() {
    for status in [429, 503] {
        let pause = Arc::new(TokioPause::default());
        let vendor = Scripted::new(pause.clone(), [Ok(answer(status, Some("30")))]);
        let budget = Arc::new(Budget::new(BROAD, pause.clone()));
        let first = Patient::new(vendor.clone(), budget.clone(), Patience::BACKGROUND, no_chance());
        // Not idempotent, so that a 503 is handed over; the pause holds all the same.
        first.send(write()).await.unwrap();
        let patience = Patience { deadline: seconds(60.0), ..Patience::BACKGROUND };
        let others: Vec<_> = (0..8)
            .map(|_| {
                let patient = Patient::new(vendor.clone(), budget.clone(), patience, no_chance());
                tokio::spawn(async move { patient.send(read()).await.unwrap() })
            })
            .collect();
        for other in others {
            other.await.unwrap();
        }
        let asked_at = vendor.asked_at();
        let early = asked_at.iter().skip(1).filter(|at| **at < seconds(30.0)).count();
        assert_eq!((asked_at[0], early), (Duration::ZERO, 0), "{asked_at:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_ends_at_the_deadline() {
    let pause = Arc::new(TokioPause::default());
    let vendor = Scripted::slow(pause.clone(), seconds(1000.0), []);
    let pace = Pace { concurrent: 1, reserved: 0, ..BROAD };
    let budget = Arc::new(Budget::new(pace, pause.clone()));
    let caller = || Patient::new(vendor.clone(), budget.clone(), Patience::BACKGROUND, no_chance());
    let first = caller();
    let busy = tokio::spawn(async move { first.send(read()).await });
    tokio::task::yield_now().await;
    let error = caller().send(read()).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::Yes));
    assert_eq!(pause.now(), Patience::BACKGROUND.deadline);
    assert_eq!(vendor.asked_at().len(), 1);
    busy.await.unwrap().unwrap();
}

/// Breaks the given share of requests, and counts those that came before its `Retry-After` passed.
struct Flaky {
    rate: f64,
    random: Mutex<u64>,
    pause: Arc<dyn Pause>,
    closed_until: Mutex<Duration>,
    requests: Mutex<u32>,
    impatient: Mutex<u32>,
}

impl Flaky {
    fn random(&self) -> f64 {
        let mut state = self.random.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[async_trait]
impl Transport for Flaky {
    async fn send(&self, _: Request) -> Result<Response> {
        let now = self.pause.now();
        *self.requests.lock().unwrap() += 1;
        if now < *self.closed_until.lock().unwrap() {
            *self.impatient.lock().unwrap() += 1;
        }
        if self.random() >= self.rate {
            return Ok(answer(200, None));
        }
        match (self.random() * 4.0) as u8 {
            0 => {
                *self.closed_until.lock().unwrap() = now + seconds(2.0);
                Ok(answer(429, Some("2")))
            }
            1 => {
                *self.closed_until.lock().unwrap() = now + seconds(5.0);
                Ok(answer(503, Some("5")))
            }
            2 => Ok(answer(500, None)),
            _ => Err(Error::new(Kind::Unavailable, "reset")),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        clock()()
    }
}

#[tokio::test(start_paused = true)]
async fn faults_cost_few_requests_and_none_is_impatient() {
    const CALLS: u32 = 1000;
    for rate in [0.01, 0.05, 0.2] {
        for seed in 1..=20u64 {
            let pause: Arc<dyn Pause> = Arc::new(TokioPause::default());
            let vendor = Arc::new(Flaky {
                rate,
                random: Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                pause: pause.clone(),
                closed_until: Mutex::default(),
                requests: Mutex::default(),
                impatient: Mutex::default(),
            });
            let pace = Pace { per_second: 100.0, ..Pace::default() };
            let budget = Arc::new(Budget::new(pace, pause));
            let callers: Vec<_> = (0..4)
                .map(|_| {
                    let patience = Patience { attempts: 12, deadline: seconds(3600.0), ..Patience::BACKGROUND };
                    let patient = Patient::new(vendor.clone(), budget.clone(), patience, no_chance());
                    tokio::spawn(async move {
                        for _ in 0..CALLS / 4 {
                            assert_eq!(patient.send(read()).await.unwrap().status, 200);
                        }
                    })
                })
                .collect();
            for caller in callers {
                caller.await.unwrap();
            }
            let ratio = f64::from(*vendor.requests.lock().unwrap()) / f64::from(CALLS);
            // A seed may draw more faults than its rate; 0.02 is over three deviations at 1 %.
            assert!(ratio <= 1.0 + 2.0 * rate.max(0.02), "rate {rate} seed {seed}: {ratio}");
            assert_eq!(*vendor.impatient.lock().unwrap(), 0, "rate {rate} seed {seed}");
        }
    }
}
