use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// A child, which ends with this value or with this process.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; what it prints goes to a file of `folder`.
    pub fn start(program: &str, name: &str, folder: &Path, options: &[(&str, String)]) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).unwrap();
        let words = options
            .iter()
            .flat_map(|(name, value)| [format!("--{name}"), value.clone()]);
        let child = Command::new(program)
            .args(words)
            .env("PUAD_END_WITH_STDIN", "1")
            .env("RUST_LOG", "info")
            .stdin(Stdio::piped())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let name = name.into();
        Self { name, child, log }
    }

    /// By a signal that it cannot handle.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn finish(&mut self) -> String {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{}", self.said());
                return self.said();
            }
            assert!(start.elapsed() < PATIENCE, "no end of {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Who it is and the end of what it printed.
    pub fn said(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let from = log.len().saturating_sub(8000);
        let from = (from..=log.len())
            .find(|at| log.is_char_boundary(*at))
            .unwrap_or(0);
        format!("{}: {}\n", self.name, &log[from..])
    }

    /// Whether it runs.
    pub fn check(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?} of {}", self.said());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ports that were free just now.
pub fn free_ports<const N: usize>() -> [u16; N] {
    // Bound at once, so that they differ.
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Whether a path of a server of 127.0.0.1 answers with success.
pub fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.split(' ').nth(1) == Some("200"))
}
