/// What a device endpoint says. Input: the HTTP status on a line of its own, then the body.

#include <algorithm>
#include <boost/json.hpp>

#include "protocols/base/text.hpp"
#include "protocols/oauth2/device.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using std::chrono::seconds;

bool plain(std::string_view text, char least) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [least](char c) { return c >= least && c < 0x7f; });
}

std::string printed(const oauth2::DeviceCode& code) {
    const boost::json::object object{{"device_code", code.device_code.reveal()},
                                     {"user_code", code.user_code},
                                     {"verification_uri", code.verification_uri},
                                     {"verification_uri_complete", code.verification_uri_complete},
                                     {"message", code.message},
                                     {"expires_in", code.expires_in.count()},
                                     {"interval", code.interval.count()}};
    return boost::json::serialize(object);
}

void check(const oauth2::DeviceCode& code) {
    fuzz::expect(plain(code.device_code.reveal(), '!') && plain(code.user_code, ' ') && code.user_code.size() <= 64,
                 "codes are plain and short");
    fuzz::expect(text::starts_with_same(code.verification_uri, "https://"), "a person is sent to https only");
    fuzz::expect(
        code.verification_uri_complete.empty() || text::starts_with_same(code.verification_uri_complete, "https://"),
        "a person is sent to https only");
    fuzz::expect(code.expires_in > seconds(0) && code.expires_in <= seconds(86'400), "the life is bounded");
    fuzz::expect(code.interval >= seconds(1) && code.interval <= seconds(300), "the interval is bounded");
    fuzz::expect(code.message.size() <= 4096, "texts are cut");
    // A message that was cut inside a character is no JSON any more.
    if (code.message.size() == 4096) return;
    const auto answer = oauth2::read_device_answer(200, printed(code), {});
    const auto* again = std::get_if<oauth2::DeviceCode>(&answer);
    fuzz::expect(again != nullptr && printed(*again) == printed(code), "a device code prints and reads to the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    auto input = fuzz::text_of(bytes, size);
    const int status = text::number<int>(fuzz::take_line(input)).value_or(200);
    const auto answer = oauth2::read_device_answer(status, input, {});
    if (const auto* code = std::get_if<oauth2::DeviceCode>(&answer)) {
        fuzz::expect(status >= 200 && status < 300, "only a success brings a code");
        check(*code);
        return 0;
    }
    const auto& refusal = std::get<oauth2::Refusal>(answer);
    const auto step = oauth2::after_poll(refusal, seconds(5), seconds(900));
    fuzz::expect(step.what != oauth2::PollStep::What::redeem, "a refusal redeems nothing");
    fuzz::expect(
        step.what != oauth2::PollStep::What::ask_again || (step.wait >= seconds(5) && step.wait < seconds(900)),
        "polls keep their distance and end with the code");
    return 0;
}
