#pragma once
/// A store in memory that fuzz targets start from: made once, then copied for each input.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "queue/store/open.hpp"
#include "tests/support/simulated_disk.hpp"

namespace fuzz {

/// The files of a data directory, by path.
using Files = std::map<std::string, std::string>;

inline const store::Path data_directory = "/data";

/// Small, so that every file of the store is in use after a few messages.
store::OpenOptions small_options();

/// What lies in the image's mailboxes: the bodies of "one" and of "two", by UID.
struct Image {
    Files files;
    std::map<std::string, std::map<std::uint32_t, std::string>> bodies;
};
/// Two mailboxes with a folder INBOX each and twelve messages, some acknowledged, some still in the journal and in the
/// write-ahead log; configuration, secrets, a grant, a pending UID.
const Image& image_with_mail();

/// Puts the files on an empty disk, durably.
void lay_out(const Files& files, SimulatedDisk& disk);
/// Those of a disk, as they are read now.
Files files_on(SimulatedDisk& disk);

}  // namespace fuzz
