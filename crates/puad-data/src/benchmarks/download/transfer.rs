use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use ureq::http::{HeaderMap, StatusCode};
use ureq::{Agent, Body, http};

use super::downloader::{Downloader, Observer, Progress};
use super::{DownloadError, RemoteFile};

/// The most bytes of a file whose size nobody states.
const LIMIT: u64 = 4 << 30;

const MOST_REDIRECTS: u32 = 5;

/// One address of one file, streamed into its part.
pub(super) struct Transfer<'a> {
    agent: Agent,
    url: &'a str,
    part: &'a Path,
    path: &'a Path,
    file: &'a RemoteFile,
    retries: u32,
    /// Version of the file at the server, from its first answer.
    version: Option<String>,
}

/// Whether bytes of an earlier run are in the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Fresh,
    Resumed,
}

/// Why an attempt ended without the whole file.
enum Failure {
    /// Another attempt may go on from there.
    Transient(DownloadError),
    Final(DownloadError),
}

impl<'a> Transfer<'a> {
    pub(super) fn new(
        downloader: &Downloader,
        url: &'a str,
        part: &'a Path,
        path: &'a Path,
        file: &'a RemoteFile,
    ) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(MOST_REDIRECTS)
            .timeout_connect(Some(downloader.patience))
            .timeout_recv_response(Some(downloader.patience))
            .timeout_per_read(Some(downloader.patience))
            .build();
        Self {
            agent: config.into(),
            url,
            part,
            path,
            file,
            retries: downloader.retries,
            version: None,
        }
    }

    /// Streams until the part is whole.
    pub(super) fn run(&mut self, observe: &mut Observer<'_>) -> Result<Outcome, DownloadError> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .append(true)
            .open(self.part)
            .map_err(|e| self.write(e))?;
        let mut received = file.metadata().map_err(|e| self.write(e))?.len();
        let mut earlier = received;
        let mut left = self.retries;
        loop {
            let before = received;
            let attempt = self.attempt(&mut file, &mut received, observe);
            // The server began again.
            if received < before {
                earlier = 0;
            }
            match attempt {
                Ok(()) => {
                    file.sync_all().map_err(|e| self.write(e))?;
                    return Ok(match earlier {
                        0 => Outcome::Fresh,
                        _ => Outcome::Resumed,
                    });
                }
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Transient(error)) => {
                    if received <= before {
                        if left == 0 {
                            return Err(error);
                        }
                        left -= 1;
                    }
                }
            }
        }
    }

    /// One request, from `received` on.
    fn attempt(
        &mut self,
        file: &mut File,
        received: &mut u64,
        observe: &mut Observer<'_>,
    ) -> Result<(), Failure> {
        let mut request = self
            .agent
            .get(self.url)
            .header("Accept-Encoding", "identity");
        if *received > 0 {
            request = request.header("Range", format!("bytes={received}-"));
            if let Some(version) = &self.version {
                request = request.header("If-Range", version);
            }
        }
        let response = request.call().map_err(|e| self.failed(*received, e))?;
        let (head, body) = response.into_parts();
        let total = self.begin(&head, file, received)?;
        if self.version.is_none() {
            self.version = version(&head.headers);
        }
        let limit = total.or(self.file.bytes).unwrap_or(LIMIT);
        self.stream(body, file, received, (total, limit), observe)?;
        match total.or(self.file.bytes) {
            Some(expected) if *received < expected => {
                let source = io::Error::from(io::ErrorKind::UnexpectedEof);
                Err(Failure::Transient(self.transfer(*received, source)))
            }
            _ => Ok(()),
        }
    }

    /// Reads the answer's head: sets `received` to where its body starts, and gives the whole size.
    fn begin(
        &self,
        head: &http::response::Parts,
        file: &mut File,
        received: &mut u64,
    ) -> Result<Option<u64>, Failure> {
        let range = header(&head.headers, "content-range").and_then(parse_range);
        let length = header(&head.headers, "content-length").and_then(|text| text.parse().ok());
        let restart = |received: &mut u64| {
            *received = 0;
            file.set_len(0).map_err(|e| Failure::Final(self.write(e)))
        };
        let total: Option<u64> = match (head.status, range) {
            (StatusCode::OK, _) => {
                // The server knows no ranges, or the file has changed.
                restart(received)?;
                length
            }
            (StatusCode::PARTIAL_CONTENT, Some((Some(start), total))) if start == *received => {
                total
            }
            // Another range than was asked for, or none at all because all is there or too much.
            (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, range) => {
                if let Some((None, Some(total))) = range
                    && total == *received
                {
                    return Ok(Some(total));
                }
                restart(received)?;
                let status = head.status.as_u16();
                return Err(Failure::Transient(self.status(status)));
            }
            (status, _) if status.is_server_error() => {
                return Err(Failure::Transient(self.status(status.as_u16())));
            }
            (status, _) => return Err(Failure::Final(self.status(status.as_u16()))),
        };
        let known = total.zip(self.file.bytes);
        let most = self.file.bytes.unwrap_or(LIMIT);
        match total {
            Some(total) if total > most || known.is_some_and(|(a, b)| a != b) => {
                Err(Failure::Final(self.size(most, total)))
            }
            _ => Ok(total),
        }
    }

    /// Appends the body to the part.
    fn stream(
        &self,
        body: Body,
        file: &mut File,
        received: &mut u64,
        (total, limit): (Option<u64>, u64),
        observe: &mut Observer<'_>,
    ) -> Result<(), Failure> {
        let total = total.or(self.file.bytes);
        let mut reader = body.into_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let progress = Progress {
                name: &self.file.name,
                bytes: *received,
                total,
            };
            if observe(progress).is_break() {
                return Err(Failure::Final(DownloadError::Stopped {
                    path: self.path.into(),
                    received: *received,
                }));
            }
            if total == Some(*received) {
                return Ok(());
            }
            let n = match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) => return Err(Failure::Transient(self.transfer(*received, error))),
            };
            if *received + n as u64 > limit {
                return Err(Failure::Final(self.size(limit, *received + n as u64)));
            }
            file.write_all(&buffer[..n])
                .map_err(|e| Failure::Final(self.write(e)))?;
            *received += n as u64;
        }
    }

    fn failed(&self, received: u64, error: ureq::Error) -> Failure {
        let endless = matches!(
            error,
            ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed | ureq::Error::BadUri(_)
        );
        let source = match error {
            ureq::Error::Timeout(_) => io::Error::new(io::ErrorKind::TimedOut, error),
            error => error.into_io(),
        };
        let error = self.transfer(received, source);
        if endless {
            Failure::Final(error)
        } else {
            Failure::Transient(error)
        }
    }

    fn transfer(&self, received: u64, source: io::Error) -> DownloadError {
        DownloadError::Transfer {
            url: self.url.into(),
            received,
            source,
        }
    }

    fn status(&self, status: u16) -> DownloadError {
        DownloadError::Answer {
            url: self.url.into(),
            rule: "answer with status 200 or 206".into(),
            found: status.to_string(),
        }
    }

    fn size(&self, expected: u64, actual: u64) -> DownloadError {
        DownloadError::size(self.url, expected, actual)
    }

    fn write(&self, source: io::Error) -> DownloadError {
        DownloadError::Write {
            path: self.part.into(),
            source,
        }
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// What `If-Range` takes: a strong entity tag, or a date.
fn version(headers: &HeaderMap) -> Option<String> {
    let tag = header(headers, "etag").filter(|tag| !tag.starts_with("W/"));
    tag.or_else(|| header(headers, "last-modified"))
        .map(String::from)
}

/// Start and total of `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`.
fn parse_range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let start = match range.split_once('-') {
        Some((start, _)) => Some(start.trim().parse().ok()?),
        None => None,
    };
    Some((start, total.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        assert_eq!(parse_range("bytes 5-9/10"), Some((Some(5), Some(10))));
        assert_eq!(parse_range("bytes 5-9/*"), Some((Some(5), None)));
        assert_eq!(parse_range("bytes */10"), Some((None, Some(10))));
        for wrong in ["", "bytes", "bytes x-9/10", "items 5-9/10", "bytes 5-9"] {
            assert_eq!(parse_range(wrong), None, "{wrong}");
        }
    }
}
