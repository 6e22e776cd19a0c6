//! Downloads from a server on the loopback that cuts, lies, loops and stalls.
#![cfg(feature = "download")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use puad_data::DataError;
use puad_data::benchmarks::download::{
    Checksum, DownloadError, Downloader, Fetched, Progress, RemoteFile,
};

/// What the server does with one connection.
type Handler = dyn Fn(&mut TcpStream, usize, &Request) + Send + Sync;

struct Request {
    path: String,
    range: Option<usize>,
    if_range: Option<String>,
}

struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

/// Serves every connection in a thread of its own; the second argument counts requests from 0.
fn serve(handler: impl Fn(&mut TcpStream, usize, &Request) + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let (handler, count): (Arc<Handler>, _) = (Arc::new(handler), requests.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (handler, count) = (handler.clone(), count.clone());
            std::thread::spawn(move || {
                let mut stream = stream;
                if let Some(request) = read_request(&stream) {
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    handler(&mut stream, number, &request);
                }
            });
        }
    });
    Server { url, requests }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut request = Request {
        path: first.split(' ').nth(1)?.into(),
        range: None,
        if_range: None,
    };
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                let start = value.strip_prefix("bytes=")?.strip_suffix('-')?;
                request.range = start.parse().ok();
            }
            "if-range" => request.if_range = Some(value.into()),
            _ => {}
        }
    }
    Some(request)
}

fn head(stream: &mut TcpStream, status: &str, headers: &[String]) {
    let headers: String = headers.iter().map(|h| format!("{h}\r\n")).collect();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n"
    );
}

/// Answers in full or from the range on, and sends no more than `most` bytes of it.
fn answer(stream: &mut TcpStream, request: &Request, content: &[u8], most: usize) {
    let n = content.len();
    let start = request.range.filter(|&start| start < n);
    match (request.range, start) {
        (Some(_), None) => {
            let range = format!("Content-Range: bytes */{n}");
            return head(
                stream,
                "416 Range Not Satisfiable",
                &[range, "Content-Length: 0".into()],
            );
        }
        (_, Some(start)) => {
            let range = format!("Content-Range: bytes {start}-{}/{n}", n - 1);
            head(
                stream,
                "206 Partial Content",
                &[range, format!("Content-Length: {}", n - start)],
            );
        }
        _ => head(
            stream,
            "200 OK",
            &[format!("Content-Length: {n}"), "ETag: \"v1\"".into()],
        ),
    }
    let rest = &content[start.unwrap_or(0)..];
    let _ = stream.write_all(&rest[..rest.len().min(most)]);
}

fn content() -> Vec<u8> {
    (0..300_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

/// The MD5 of `content()`, by `hashlib.md5(bytes((i * 2654435761 % 2**32) >> 24 for i in range(300000)))`.
const MD5: &str = "14a1802113ce2773fe316b5a05dd3645";

fn file(urls: &[String], md5: Option<&str>) -> RemoteFile {
    RemoteFile {
        name: "file.bin".into(),
        urls: urls.to_vec(),
        bytes: None,
        checksum: md5.map(|md5| Checksum {
            md5: md5.into(),
            stated_by: "this test".into(),
        }),
        unpack: vec![],
    }
}

struct Place {
    dir: tempfile::TempDir,
    downloader: Downloader,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut downloader = Downloader::new(dir.path());
        downloader.patience = Duration::from_millis(300);
        downloader.retries = 1;
        Self { dir, downloader }
    }

    fn fetch(&self, file: &RemoteFile) -> Result<Fetched, DataError> {
        self.downloader
            .fetch("set", file, &mut |_| ControlFlow::Continue(()))
    }

    /// The error of the one address.
    fn error(&self, file: &RemoteFile) -> DownloadError {
        match self.fetch(file).unwrap_err() {
            DataError::Download(DownloadError::Failed { path, mut errors }) => {
                assert_eq!(path, self.path("file.bin"));
                assert_eq!(errors.len(), 1);
                errors.remove(0)
            }
            error => panic!("{error}"),
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("set").join(name)
    }

    fn part(&self, bytes: &[u8]) {
        fs::create_dir_all(self.dir.path().join("set")).unwrap();
        fs::write(self.path("file.bin.part"), bytes).unwrap();
    }

    /// The file is whole, and nothing is left of the way to it.
    fn assert_whole(&self) {
        assert_eq!(fs::read(self.path("file.bin")).unwrap(), content());
        assert!(!self.path("file.bin.part").exists());
    }

    fn assert_absent(&self) {
        assert!(!self.path("file.bin").exists());
    }
}

#[test]
fn a_file_is_fetched_once_and_verified() {
    let server = serve(|stream, _, request| answer(stream, request, &content(), usize::MAX));
    let place = Place::new();
    let file = file(std::slice::from_ref(&server.url), Some(MD5));
    let mut seen = vec![];
    let mut observe = |progress: Progress<'_>| {
        assert_eq!((progress.name, progress.total), ("file.bin", Some(300_000)));
        seen.push(progress.bytes);
        ControlFlow::Continue(())
    };
    let fetched = place.downloader.fetch("set", &file, &mut observe).unwrap();
    assert_eq!(fetched, Fetched::Verified);
    assert!(seen.is_sorted() && seen[0] == 0 && seen.last() == Some(&300_000));
    place.assert_whole();
    assert_eq!(place.fetch(&file).unwrap(), Fetched::Present);
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

#[test]
fn without_a_checksum_it_is_unverified_and_an_old_part_is_dropped() {
    let server = serve(|stream, _, request| {
        assert_eq!(request.range, None);
        answer(stream, request, &content(), usize::MAX)
    });
    let place = Place::new();
    place.part(b"of another version");
    let fetched = place
        .fetch(&file(std::slice::from_ref(&server.url), None))
        .unwrap();
    assert_eq!(fetched, Fetched::Unverified);
    place.assert_whole();
}

#[test]
fn cut_connections_are_resumed_where_they_stopped() {
    let ranges = Arc::new(Mutex::new(vec![]));
    let log = ranges.clone();
    let server = serve(move |stream, _, request| {
        log.lock()
            .unwrap()
            .push((request.range, request.if_range.clone()));
        answer(stream, request, &content(), 70_000);
    });
    for md5 in [Some(MD5), None] {
        let place = Place::new();
        ranges.lock().unwrap().clear();
        place
            .fetch(&file(std::slice::from_ref(&server.url), md5))
            .unwrap();
        place.assert_whole();
        let tag = || Some("\"v1\"".to_string());
        let expected = [
            (None, None),
            (Some(70_000), tag()),
            (Some(140_000), tag()),
            (Some(210_000), tag()),
            (Some(280_000), tag()),
        ];
        assert_eq!(*ranges.lock().unwrap(), expected);
    }
}

#[test]
fn a_connection_that_is_always_cut_at_once_is_given_up() {
    let server = serve(|stream, _, request| answer(stream, request, &content(), 0));
    let place = Place::new();
    match place.error(&file(std::slice::from_ref(&server.url), Some(MD5))) {
        DownloadError::Transfer { received: 0, .. } => {}
        error => panic!("{error}"),
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 2);
    place.assert_absent();
}

#[test]
fn the_part_of_an_earlier_run_is_gone_on_with() {
    let server = serve(|stream, _, request| {
        assert_eq!(request.range, Some(100_000));
        answer(stream, request, &content(), usize::MAX);
    });
    let place = Place::new();
    place.part(&content()[..100_000]);
    let file = file(std::slice::from_ref(&server.url), Some(MD5));
    assert_eq!(place.fetch(&file).unwrap(), Fetched::Verified);
    place.assert_whole();
}

#[test]
fn a_whole_part_needs_no_body() {
    let server = serve(|stream, _, request| answer(stream, request, &content(), usize::MAX));
    let place = Place::new();
    place.part(&content());
    place
        .fetch(&file(std::slice::from_ref(&server.url), Some(MD5)))
        .unwrap();
    place.assert_whole();
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

/// Wrong bytes, too many of them, and a server that knows no ranges: each begins again.
#[test]
fn bad_parts_are_fetched_anew() {
    let ranged = serve(|stream, _, request| answer(stream, request, &content(), usize::MAX));
    let whole = serve(|stream, _, request| {
        let request = Request {
            range: None,
            path: request.path.clone(),
            if_range: None,
        };
        answer(stream, &request, &content(), usize::MAX);
    });
    for url in [&ranged.url, &whole.url] {
        for part in [vec![1; 5], vec![1; 300_000], vec![1; 400_000]] {
            let place = Place::new();
            place.part(&part);
            let file = file(std::slice::from_ref(url), Some(MD5));
            assert_eq!(place.fetch(&file).unwrap(), Fetched::Verified);
            place.assert_whole();
        }
    }
}

#[test]
fn ranges_that_are_ignored_after_a_cut_start_over() {
    let server = serve(|stream, number, request| {
        let request = Request {
            range: None,
            path: request.path.clone(),
            if_range: None,
        };
        let most = if number < 2 {
            50_000 << number
        } else {
            usize::MAX
        };
        answer(stream, &request, &content(), most);
    });
    let place = Place::new();
    place
        .fetch(&file(std::slice::from_ref(&server.url), Some(MD5)))
        .unwrap();
    place.assert_whole();
}

#[test]
fn another_range_than_asked_for_is_not_appended() {
    let server = serve(|stream, _, request| match request.range {
        Some(_) => {
            let headers = [
                "Content-Range: bytes 1-299999/300000",
                "Content-Length: 299999",
            ];
            head(stream, "206 Partial Content", &headers.map(String::from));
            let _ = stream.write_all(&content()[1..]);
        }
        None => answer(stream, request, &content(), usize::MAX),
    });
    let place = Place::new();
    place.part(&content()[..100_000]);
    place
        .fetch(&file(std::slice::from_ref(&server.url), Some(MD5)))
        .unwrap();
    place.assert_whole();
}

#[test]
fn a_wrong_hash_is_an_error_and_leaves_nothing() {
    let server = serve(|stream, _, request| {
        let mut wrong = content();
        wrong[123_456] ^= 1;
        answer(stream, request, &wrong, usize::MAX);
    });
    let place = Place::new();
    let file = file(std::slice::from_ref(&server.url), Some(MD5));
    match place.error(&file) {
        DownloadError::Answer { url, rule, found } => {
            assert_eq!(url, server.url);
            assert_eq!(rule, format!("have the MD5 {MD5} (this test)"));
            assert!(found.len() == 32 && found != MD5);
        }
        error => panic!("{error}"),
    }
    place.assert_absent();
    assert!(!place.path("file.bin.part").exists());
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

#[test]
fn redirects_are_followed_but_not_in_a_loop() {
    let target = serve(|stream, _, request| answer(stream, request, &content(), usize::MAX));
    let place = Place::new();
    let to = target.url.clone();
    let once = serve(move |stream, _, _| {
        head(
            stream,
            "302 Found",
            &[format!("Location: {to}/x"), "Content-Length: 0".into()],
        );
    });
    place
        .fetch(&file(std::slice::from_ref(&once.url), Some(MD5)))
        .unwrap();
    place.assert_whole();

    let endless = serve(|stream, number, _| {
        let headers = [format!("Location: /{number}"), "Content-Length: 0".into()];
        head(stream, "302 Found", &headers);
    });
    let place = Place::new();
    match place.error(&file(std::slice::from_ref(&endless.url), Some(MD5))) {
        DownloadError::Transfer { source, .. } => {
            assert!(source.to_string().contains("redirect"), "{source}");
        }
        error => panic!("{error}"),
    }
    assert!(endless.requests.load(Ordering::SeqCst) < 10);
}

#[test]
fn a_stalled_server_is_given_up_and_what_came_is_kept() {
    let server = serve(|stream, _, request| {
        answer(stream, request, &content(), 100_000);
        std::thread::sleep(Duration::from_secs(60));
    });
    let place = Place::new();
    let start = Instant::now();
    // A stall that brings bytes is resumed, and so the first one is; a server that then is silent is not.
    let silent = serve(|_, _, _| std::thread::sleep(Duration::from_secs(60)));
    match place.error(&file(std::slice::from_ref(&silent.url), Some(MD5))) {
        DownloadError::Transfer {
            received: 0,
            source,
            ..
        } => {
            assert_eq!(source.kind(), std::io::ErrorKind::TimedOut, "{source}");
        }
        error => panic!("{error}"),
    }
    place
        .fetch(&file(std::slice::from_ref(&server.url), Some(MD5)))
        .unwrap();
    place.assert_whole();
    // Far below the minute that the server sleeps.
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn errors_of_the_server_and_the_second_address() {
    let good = serve(|stream, _, request| answer(stream, request, &content(), usize::MAX));
    let gone = serve(|stream, _, _| head(stream, "404 Not Found", &["Content-Length: 0".into()]));
    let busy = serve(|stream, number, request| match number {
        0 => head(
            stream,
            "503 Service Unavailable",
            &["Content-Length: 0".into()],
        ),
        _ => answer(stream, request, &content(), usize::MAX),
    });
    let place = Place::new();
    let err = place.error(&file(std::slice::from_ref(&gone.url), Some(MD5)));
    assert!(
        matches!(&err, DownloadError::Answer { found, .. } if found == "404"),
        "{err}"
    );
    assert_eq!(gone.requests.load(Ordering::SeqCst), 1);
    place
        .fetch(&file(&[gone.url.clone(), good.url], Some(MD5)))
        .unwrap();
    place.assert_whole();
    let place = Place::new();
    place
        .fetch(&file(std::slice::from_ref(&busy.url), Some(MD5)))
        .unwrap();
    place.assert_whole();
    // A port that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let place = Place::new();
    let err = place.error(&file(&[format!("http://{port}")], Some(MD5)));
    assert!(
        matches!(err, DownloadError::Transfer { received: 0, .. }),
        "{err}"
    );
}

#[test]
fn sizes_must_be_the_manifests() {
    let server = serve(|stream, _, request| answer(stream, request, &content(), usize::MAX));
    let unknown = serve(|stream, _, _| {
        head(stream, "200 OK", &[]);
        let _ = stream.write_all(&content());
    });
    for url in [server.url, unknown.url] {
        for bytes in [299_999, 300_001] {
            let place = Place::new();
            let file = RemoteFile {
                bytes: Some(bytes),
                ..file(std::slice::from_ref(&url), None)
            };
            let err = place.error(&file);
            let early = matches!(err, DownloadError::Transfer { .. }) && bytes > 300_000;
            let size = matches!(&err, DownloadError::Answer { rule, .. }
                if *rule == format!("have {bytes} bytes"));
            assert!(early || size, "{err}");
            place.assert_absent();
        }
        let place = Place::new();
        let file = RemoteFile {
            bytes: Some(300_000),
            ..file(&[url], None)
        };
        assert_eq!(place.fetch(&file).unwrap(), Fetched::Unverified);
        place.assert_whole();
    }
}

#[test]
fn an_observer_can_stop_and_a_later_run_goes_on() {
    let server = serve(|stream, _, request| answer(stream, request, &content(), usize::MAX));
    let place = Place::new();
    let file = file(std::slice::from_ref(&server.url), Some(MD5));
    let mut stop = |progress: Progress<'_>| match progress.bytes {
        0..100_000 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    match place.downloader.fetch("set", &file, &mut stop).unwrap_err() {
        DataError::Download(DownloadError::Stopped { path, received }) => {
            assert_eq!(path, place.path("file.bin"));
            assert_eq!(
                fs::metadata(place.path("file.bin.part")).unwrap().len(),
                received
            );
        }
        error => panic!("{error}"),
    }
    place.fetch(&file).unwrap();
    place.assert_whole();
}

#[test]
fn offline_opens_no_connection_and_names_the_file() {
    let server = serve(|stream, _, request| answer(stream, request, &content(), usize::MAX));
    let mut place = Place::new();
    place.downloader.offline = true;
    let file = file(std::slice::from_ref(&server.url), Some(MD5));
    let err = place.fetch(&file).unwrap_err();
    let text = err.to_string();
    assert!(
        matches!(err, DataError::Download(DownloadError::Offline { .. })),
        "{err}"
    );
    assert!(
        text.contains(&server.url) && text.contains("file.bin"),
        "{text}"
    );
    assert_eq!(server.requests.load(Ordering::SeqCst), 0);
    place.part(b"");
    fs::write(place.path("file.bin"), "placed by hand").unwrap();
    assert_eq!(place.fetch(&file).unwrap(), Fetched::Present);
}

/// Eight at once open one connection; the lock works between file handles, in one process or two.
#[test]
fn several_at_once_fetch_one_file() {
    let server = serve(|stream, _, request| {
        std::thread::sleep(Duration::from_millis(50));
        answer(stream, request, &content(), usize::MAX);
    });
    let place = Place::new();
    let file = file(std::slice::from_ref(&server.url), Some(MD5));
    let outcomes: Vec<Fetched> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| place.fetch(&file).unwrap()))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(
        outcomes.iter().filter(|&&o| o == Fetched::Verified).count(),
        1
    );
    assert_eq!(
        outcomes.iter().filter(|&&o| o == Fetched::Present).count(),
        7
    );
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
    place.assert_whole();
}

#[test]
fn names_cannot_leave_the_folder() {
    let place = Place::new();
    for name in ["", ".", "..", "../a", "a/b", "/etc/a", "a/"] {
        for file in [
            RemoteFile {
                name: name.into(),
                ..file(&[], None)
            },
            RemoteFile {
                unpack: vec![name.into()],
                ..file(&[], None)
            },
        ] {
            let err = place.fetch(&file).unwrap_err();
            assert!(
                matches!(&err, DataError::Config { value, .. } if *value == format!("{name:?}")),
                "{err}"
            );
        }
    }
}

/// A gzipped tar with one folder, by the format's description: 512-byte headers, ustar.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![];
    for (name, content) in members {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(&bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn archives_are_unpacked_and_removed() {
    let tar = archive(&[
        ("folder/readme", b"no"),
        ("folder/../../train.bin", b"train"),
        ("folder/test.bin", b"test"),
    ]);
    let served = tar.clone();
    let server = serve(move |stream, _, request| answer(stream, request, &served, usize::MAX));
    let place = Place::new();
    let file = RemoteFile {
        name: "a.tar.gz".into(),
        unpack: vec!["train.bin".into(), "test.bin".into()],
        ..file(std::slice::from_ref(&server.url), None)
    };
    assert_eq!(place.fetch(&file).unwrap(), Fetched::Unverified);
    assert_eq!(fs::read(place.path("train.bin")).unwrap(), b"train");
    assert_eq!(fs::read(place.path("test.bin")).unwrap(), b"test");
    let names = fs::read_dir(place.path(""))
        .unwrap()
        .map(|e| e.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["a.tar.gz.lock", "test.bin", "train.bin"]);
    assert_eq!(place.fetch(&file).unwrap(), Fetched::Present);

    let place = Place::new();
    let other = RemoteFile {
        unpack: vec!["absent.bin".into()],
        ..file
    };
    let err = place.fetch(&other).unwrap_err();
    assert!(
        matches!(&err, DataError::Missing { name, present, .. }
            if name == "absent.bin" && !present.is_empty()),
        "{err}"
    );
    assert!(!Path::new(&place.path("absent.bin")).exists());
}

/// Where [`child`] fetches from and to, as `PUAD_TEST_FETCH=url|dir|name`.
const CHILD: &str = "PUAD_TEST_FETCH";

/// Exit statuses of [`child`], other than the harness's own.
const VERIFIED: i32 = 40;
const PRESENT: i32 = 41;

/// The other process of the tests below: this executable again. By itself it does nothing.
#[test]
fn child() {
    let Ok(task) = std::env::var(CHILD) else {
        return;
    };
    let [url, dir, name] = task.split('|').collect::<Vec<_>>()[..] else {
        panic!("{task}");
    };
    let mut downloader = Downloader::new(dir);
    downloader.patience = Duration::from_secs(60);
    fs::write(Path::new(dir).join(name), "").unwrap();
    let file = file(&[url.to_string()], Some(MD5));
    let outcome = downloader.fetch("set", &file, &mut |_| ControlFlow::Continue(()));
    std::process::exit(match outcome.unwrap() {
        Fetched::Verified => VERIFIED,
        Fetched::Present => PRESENT,
        Fetched::Unverified => 1,
    });
}

fn spawn(url: &str, place: &Place, name: &str) -> std::process::Child {
    let task = format!("{url}|{}|{name}", place.dir.path().display());
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--test-threads=1"])
        .env(CHILD, task)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Polls until `done`, for as long as a busy machine may need.
fn wait_for(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn processes_fetch_one_file_once() {
    let place = Place::new();
    let started = ["a", "b", "c"].map(|name| place.dir.path().join(name));
    // The file is held back until every process is at it.
    let all = started.clone();
    let server = serve(move |stream, _, request| {
        wait_for("children", || all.iter().all(|path| path.exists()));
        std::thread::sleep(Duration::from_millis(200));
        answer(stream, request, &content(), usize::MAX);
    });
    let mut children = ["a", "b", "c"].map(|name| spawn(&server.url, &place, name));
    // Whoever looks sees no file or a whole one.
    wait_for("the file", || match fs::read(place.path("file.bin")) {
        Ok(bytes) => {
            assert_eq!(bytes, content());
            true
        }
        Err(_) => false,
    });
    let mut outcomes = children
        .each_mut()
        .map(|child| child.wait().unwrap().code().unwrap());
    outcomes.sort_unstable();
    assert_eq!(outcomes, [VERIFIED, PRESENT, PRESENT]);
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
    place.assert_whole();
}

/// Killed in the middle of a download, a process leaves its lock to the next, and what it had.
#[test]
fn a_killed_process_blocks_nobody() {
    let server = serve(|stream, number, request| match number {
        0 => {
            answer(stream, request, &content(), 100_000);
            std::thread::sleep(Duration::from_secs(600));
        }
        _ => {
            assert_eq!(request.range, Some(100_000));
            answer(stream, request, &content(), usize::MAX);
        }
    });
    let place = Place::new();
    let mut child = spawn(&server.url, &place, "killed");
    let part = place.path("file.bin.part");
    wait_for("100,000 bytes", || {
        fs::metadata(&part).is_ok_and(|data| data.len() == 100_000)
    });
    let lock = fs::File::open(place.path("file.bin.lock")).unwrap();
    let held = lock.try_lock();
    assert!(
        matches!(held, Err(fs::TryLockError::WouldBlock)),
        "{held:?}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    place.assert_absent();
    let file = file(std::slice::from_ref(&server.url), Some(MD5));
    assert_eq!(place.fetch(&file).unwrap(), Fetched::Verified);
    place.assert_whole();
    assert_eq!(server.requests.load(Ordering::SeqCst), 2);
}

/// A set that is all there in another layout is not fetched again.
#[cfg(feature = "parquet")]
#[test]
fn cifar_as_parquet_is_not_fetched_again() {
    use puad_data::benchmarks::FileLayout;
    use puad_data::benchmarks::tasks::PaperDataset;

    let set = PaperDataset::Cifar10;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/datasets");
    for ending in ["", "-00000-of-00001"] {
        let mut place = Place::new();
        // What would be fetched is an error.
        place.downloader.offline = true;
        let folder = place.dir.path().join("cifar10");
        fs::create_dir(&folder).unwrap();
        for part in ["train", "test"] {
            let fetched = place
                .downloader
                .dataset(set, &mut |_| ControlFlow::Continue(()));
            assert!(matches!(
                fetched,
                Err(DataError::Download(DownloadError::Offline { .. }))
            ));
            let from = fixtures.join(format!("cifar10_{part}.parquet"));
            fs::copy(from, folder.join(format!("{part}{ending}.parquet"))).unwrap();
        }
        assert_eq!(set.layout(&folder), Some(FileLayout::Parquet));
        let fetched = place
            .downloader
            .dataset(set, &mut |_| ControlFlow::Continue(()))
            .unwrap();
        let names = ["train", "test"].map(|part| format!("{part}{ending}.parquet"));
        assert_eq!(fetched.files, names.map(|name| (name, Fetched::Present)));
        assert!(!set.load(fetched.folder).unwrap().train.is_empty());
    }
}
