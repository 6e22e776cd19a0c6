use serde::{Deserialize, Serialize};

use crate::benchmarks::cifar::{FILES_10, FILES_100};
use crate::benchmarks::tasks::PaperDataset;

/// A published file.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use puad_data::benchmarks::download::{Downloader, RemoteFile};
///
/// // A file of your own, without a checksum.
/// let file = RemoteFile {
///     name: "readings.csv".into(),
///     urls: vec!["https://example.org/readings.csv".into()],
///     bytes: None,
///     checksum: None,
///     unpack: vec![],
/// };
/// Downloader::new("data").fetch("readings", &file, &mut |_| ControlFlow::Continue(()))?;
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteFile {
    /// Its name in the data set's folder.
    pub name: String,
    /// Where it can be had, tried in this order.
    pub urls: Vec<String>,
    /// Its size in bytes, where somebody states it exactly.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Its checksum, where somebody states one.
    #[serde(default)]
    pub checksum: Option<Checksum>,
    /// Names of the files to take out of it, if it is a `.tar.gz`; it is removed then.
    #[serde(default)]
    pub unpack: Vec<String>,
}

/// The MD5 of a file, and who states it.
///
/// ```
/// use puad_data::benchmarks::download::manifest;
/// use puad_data::benchmarks::tasks::PaperDataset;
///
/// for file in manifest(PaperDataset::Cifar10) {
///     let checksum = file.checksum.unwrap();
///     println!("{} as {} states", checksum.md5, checksum.stated_by);
///     assert_eq!(checksum.md5.len(), 32);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checksum {
    /// 32 hexadecimal digits in lower case.
    pub md5: String,
    /// Who states it.
    pub stated_by: String,
}

const TORCHVISION_MNIST: &str = "torchvision/datasets/mnist.py; the publisher states none";
const TORCHVISION_SVHN: &str = "torchvision/datasets/svhn.py; the publisher states none";
const FASHION: &str = "README of github.com/zalandoresearch/fashion-mnist";
const CIFAR: &str = "www.cs.toronto.edu/~kriz/cifar.html";
const MEDMNIST: &str = "medmnist/info.py 2.1.0 of github.com/MedMNIST/MedMNIST";

/// The files of a data set.
///
/// Sizes: LeCun's page for MNIST; for FashionMNIST, SVHN and CIFAR, whose publishers state rounded
/// ones or none, `tensorflow_datasets/url_checksums` of github.com/tensorflow/datasets, which has
/// those of MNIST, too; of MedMNIST none is stated exactly.
///
/// ```
/// use puad_data::benchmarks::download::manifest;
/// use puad_data::benchmarks::tasks::PaperDataset;
///
/// let [archive] = &manifest(PaperDataset::Cifar100)[..] else { panic!() };
/// assert_eq!(archive.unpack, ["train.bin", "test.bin"]);
/// assert_eq!(archive.checksum.as_ref().unwrap().md5, "03b5dce01913d631647c71ecec9e9cb8");
/// ```
pub fn manifest(set: PaperDataset) -> Vec<RemoteFile> {
    match set {
        PaperDataset::Mnist => mnist(),
        PaperDataset::FashionMnist => fashion_mnist(),
        PaperDataset::Svhn => svhn(),
        PaperDataset::Cifar10 => {
            let md5 = "c32a1d4ab5d03f1284b67883e8d87530";
            let name = "cifar-10-binary.tar.gz";
            vec![cifar(name, md5, 170_052_171, &FILES_10)]
        }
        PaperDataset::Cifar100 => {
            let md5 = "03b5dce01913d631647c71ecec9e9cb8";
            let name = "cifar-100-binary.tar.gz";
            vec![cifar(name, md5, 168_513_733, &FILES_100)]
        }
        PaperDataset::PathMnist => medmnist(set, "a8b06965200029087d5bd730944a56c1"),
        PaperDataset::OctMnist => medmnist(set, "c68d92d5b585d8d81f7112f81e2d0842"),
        PaperDataset::TissueMnist => medmnist(set, "ebe78ee8b05294063de985d821c1c34b"),
    }
}

fn file(name: &str, bases: &[&str], md5: &str, stated_by: &str) -> RemoteFile {
    RemoteFile {
        name: name.into(),
        urls: bases.iter().map(|base| format!("{base}{name}")).collect(),
        bytes: None,
        checksum: Some(Checksum {
            md5: md5.into(),
            stated_by: stated_by.into(),
        }),
        unpack: vec![],
    }
}

fn mnist() -> Vec<RemoteFile> {
    let bases = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ];
    [
        (
            "train-images-idx3-ubyte.gz",
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            9_912_422,
        ),
        (
            "train-labels-idx1-ubyte.gz",
            "d53e105ee54ea40749a09fcbcd1e9432",
            28_881,
        ),
        (
            "t10k-images-idx3-ubyte.gz",
            "9fb629c4189551a2d022fa330f9573f3",
            1_648_877,
        ),
        (
            "t10k-labels-idx1-ubyte.gz",
            "ec29112dd5afa0611ce80d1b7f02629c",
            4_542,
        ),
    ]
    .map(|(name, md5, bytes)| RemoteFile {
        bytes: Some(bytes),
        ..file(name, &bases, md5, TORCHVISION_MNIST)
    })
    .into()
}

fn fashion_mnist() -> Vec<RemoteFile> {
    let bases = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"];
    [
        (
            "train-images-idx3-ubyte.gz",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            26_421_880,
        ),
        (
            "train-labels-idx1-ubyte.gz",
            "25c81989df183df01b3e8a0aad5dffbe",
            29_515,
        ),
        (
            "t10k-images-idx3-ubyte.gz",
            "bef4ecab320f06d8554ea6380940ec79",
            4_422_102,
        ),
        (
            "t10k-labels-idx1-ubyte.gz",
            "bb300cfdad3c16e7a12a480ee83cd310",
            5_148,
        ),
    ]
    .map(|(name, md5, bytes)| RemoteFile {
        bytes: Some(bytes),
        ..file(name, &bases, md5, FASHION)
    })
    .into()
}

fn svhn() -> Vec<RemoteFile> {
    let bases = ["http://ufldl.stanford.edu/housenumbers/"];
    [
        (
            "train_32x32.mat",
            "e26dedcc434d2e4c54c9b2d4a06d8373",
            182_040_794,
        ),
        (
            "test_32x32.mat",
            "eb5a983be6a315427106f1b164d9cef3",
            64_275_384,
        ),
    ]
    .map(|(name, md5, bytes)| RemoteFile {
        bytes: Some(bytes),
        ..file(name, &bases, md5, TORCHVISION_SVHN)
    })
    .into()
}

fn cifar(name: &str, md5: &str, bytes: u64, unpack: &[&str]) -> RemoteFile {
    RemoteFile {
        bytes: Some(bytes),
        unpack: unpack.iter().map(|name| name.to_string()).collect(),
        ..file(name, &["https://www.cs.toronto.edu/~kriz/"], md5, CIFAR)
    }
}

fn medmnist(set: PaperDataset, md5: &str) -> Vec<RemoteFile> {
    let name = format!("{}.npz", set.name());
    let base = "https://zenodo.org/record/6496656/files/";
    let mut file = file(&name, &[base], md5, MEDMNIST);
    file.urls
        .iter_mut()
        .for_each(|url| url.push_str("?download=1"));
    vec![file]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_an_address_and_a_well_formed_checksum_or_none() {
        for set in PaperDataset::ALL {
            let files = manifest(set);
            assert!(!files.is_empty());
            for file in files {
                assert!(!file.urls.is_empty());
                // A terabyte is a slip of a digit.
                let sized = file.bytes.is_none_or(|n| (1000..1 << 30).contains(&n));
                assert!(sized, "{file:?}");
                let checksum = file.checksum.unwrap();
                assert_eq!(checksum.md5.len(), 32);
                let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                assert!(checksum.md5.bytes().all(hex) && !checksum.stated_by.is_empty());
            }
        }
    }
}
