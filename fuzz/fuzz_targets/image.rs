//! An encoded image, alone in a folder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_data::ImageShape;
use puad_data::image_folder::{self, ImageFolderConfig};
use puad_fuzz::{folder, raise_memory_limit, write};

fuzz_target!(init: raise_memory_limit(4), |bytes: &[u8]| {
    let Some((&choice, image)) = bytes.split_first() else {
        return;
    };
    let side = if choice & 2 == 0 { 8 } else { 5 };
    let shape = ImageShape {
        channels: if choice & 1 == 0 { 3 } else { 1 },
        height: side,
        width: side,
    };
    let root = folder().join("images");
    let class = root.join("class");
    std::fs::create_dir_all(&class).unwrap();
    write(&class, "a.png", image);
    let resize = choice & 2 != 0;
    let bits = (choice & 4 != 0).then_some(12);
    let config = ImageFolderConfig { shape, resize, bits };
    if let Ok(read) = image_folder::read(&root, &config) {
        assert_eq!(read.images.pixels().len(), shape.channels * side * side);
    }
});
