//! What clients without any key do to the service: large bodies, silent connections, answers that nobody reads.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

use super::{
    chaos_run::ChaosRun,
    replica::{Defect, Replica},
    setup::CONNECTION,
};

/// The memory of a replica that gets large bodies, in KiB.
const LITTLE_MEMORY: usize = 256 << 10;

/// How many clients send a large body at once.
const LARGE_BODIES: usize = 1000;

/// What each of them announces; the last byte never comes.
const LARGE_BODY: usize = 2 << 20;

/// Connections of one address that send nothing, and such that ask much and read nothing.
const SILENT_CONNECTIONS: usize = 1024;
const SLOW_READERS: usize = 64;

/// How long an attack may take.
const ATTACK_TIMEOUT: Duration = Duration::from_secs(60);

/// How long another client may wait for its answer meanwhile.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// The address of a client that does nothing wrong.
const BYSTANDER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

impl ChaosRun {
    /// A replica with little memory gets a thousand large bodies on every kind of path.
    pub(super) async fn send_large_bodies(&mut self) -> Result<()> {
        self.kill_all().await?;
        let replica = Replica::start(&self.replica_config, Some(Defect::LittleMemory(LITTLE_MEMORY))).await?;
        self.webhook_sender.set_replicas(std::slice::from_ref(&replica.url));
        let address = address_of(&replica)?;
        let mut clients = JoinSet::new();
        for number in 0..LARGE_BODIES {
            clients.spawn(send_large_body(address, number));
        }
        let mut sent = 0;
        let mut slowest = ask_alive(address).await?;
        while let Some(client) = clients.join_next().await {
            sent += client.unwrap_or_default();
            if clients.len().is_multiple_of(LARGE_BODIES / 10) {
                slowest = slowest.max(ask_alive(address).await?);
            }
        }
        let peak = replica.peak_memory()?;
        self.attack_figures = Some(format!(
            "{LARGE_BODIES} bodies, {} MiB sent; /livez within {:.2} s; peak {} of {} MiB",
            sent >> 20,
            slowest.as_secs_f64(),
            peak >> 10,
            LITTLE_MEMORY >> 10
        ));
        self.replicas.push(replica);
        Ok(())
    }

    /// One address opens more connections than there are, and reads no answer.
    pub(super) async fn hold_connections(&mut self) -> Result<()> {
        let address = address_of(self.replicas.first().context("there is a replica")?)?;
        let attacker = Ipv4Addr::new(127, 0, 0, 3);
        let mut held = Vec::new();
        for number in 0..SLOW_READERS + SILENT_CONNECTIONS {
            let Ok(mut stream) = connect(attacker, address).await else { continue };
            if number < SLOW_READERS {
                let request = "GET /openapi.yaml HTTP/1.1\r\nhost: silta\r\n\r\n".repeat(100);
                let _ = stream.write_all(request.as_bytes()).await;
            }
            held.push(stream);
        }
        let mut fastest = ATTACK_TIMEOUT;
        for _ in 0..5 {
            fastest = fastest.min(ask_alive(address).await?);
        }
        self.attack_figures = Some(format!(
            "{} connections of one address, {SLOW_READERS} of them slow readers; /livez within {:.2} s",
            held.len(),
            fastest.as_secs_f64()
        ));
        ensure!(fastest < ANSWER_LIMIT, "one address keeps others waiting for {fastest:?}");
        Ok(())
    }
}

/// Sends a body without its last byte, half of them without a length, and waits for the end of the connection. Returns how
/// much of it was sent; what the service does not read stays in the kernel.
async fn send_large_body(address: SocketAddr, number: usize) -> usize {
    let paths = ["/sign-in", &format!("/webhooks/ogoship/{CONNECTION}"), "/admin/v1/replays", "/nowhere"];
    let path = paths[number % paths.len()];
    let is_chunked = (number / paths.len()).is_multiple_of(2);
    let length = if is_chunked {
        "transfer-encoding: chunked".to_owned()
    } else {
        format!("content-length: {LARGE_BODY}")
    };
    let head = format!("POST {path} HTTP/1.1\r\nhost: silta\r\n{length}\r\n\r\n");
    // Each address has its share: they all come from several.
    let from = Ipv4Addr::new(127, 0, 1, u8::try_from(1 + number % 8).unwrap_or(1));
    let mut sent = 0;
    let sending = async {
        let mut stream = connect(from, address).await?;
        stream.write_all(head.as_bytes()).await?;
        if is_chunked {
            stream.write_all(format!("{LARGE_BODY:x}\r\n").as_bytes()).await?;
        }
        let piece = [b'x'; 16 << 10];
        while sent < LARGE_BODY - 1 {
            sent += stream.write(&piece[..piece.len().min(LARGE_BODY - 1 - sent)]).await?;
        }
        while stream.read(&mut [0; 1024]).await? > 0 {}
        anyhow::Ok(())
    };
    let _ = timeout(ATTACK_TIMEOUT, Box::pin(sending)).await; // that it is refused is the point
    sent
}

/// How long a client that does nothing wrong waits for the answer that the service is alive.
async fn ask_alive(address: SocketAddr) -> Result<Duration> {
    let started_at = Instant::now();
    let mut stream = connect(BYSTANDER, address).await?;
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: silta\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    timeout(ATTACK_TIMEOUT, stream.read_to_string(&mut answer)).await.context("no answer of /livez")??;
    ensure!(answer.starts_with("HTTP/1.1 200"), "/livez answers {answer:?}");
    Ok(started_at.elapsed())
}

async fn connect(from: Ipv4Addr, to: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    timeout(ATTACK_TIMEOUT, socket.connect(to)).await.context("no connection")?.map_err(Into::into)
}

fn address_of(replica: &Replica) -> Result<SocketAddr> {
    Ok(replica.url.trim_start_matches("http://").parse()?)
}
