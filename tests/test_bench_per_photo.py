"""What bench.per_photo says of files, by hand."""

from bench import per_photo


def test_files_that_grow_by_photos(tmp_path):
    found = []
    for count in (30, 130):
        project = tmp_path / str(count)
        (project / "data/raw").mkdir(parents=True)
        (project / "data/raw/photos").write_bytes(bytes(100 + 8 * count))
        (project / "data/raw/constant").write_bytes(bytes(500))
        (project / "other").write_bytes(bytes(count))
        found.append(per_photo.sizes(project))
    assert per_photo.grown(*found, 100) == {"data/raw/photos": 8.0}
