/// Callers of the control socket, one request behind the other, as the daemon answers them: every answer can be sent,
/// what calls itself JSON is JSON, and the store goes on.

#include <boost/json.hpp>

#include "engine/control/routes.hpp"
#include "protocols/http/reader.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/store_image.hpp"
#include "tests/support/hand_clock.hpp"

namespace {

using support::SeededRandom;

constexpr std::size_t requests_max = 8;

class House {
public:
    House() {
        fuzz::lay_out(fuzz::image_with_mail().files, disk_);
        auto opened = store::open_store(disk_, fuzz::data_directory, fuzz::small_options());
        fuzz::expect(opened.has_value(), "the image opens");
        lock_ = std::move(opened->lock);
        committer_ = std::make_unique<store::Committer>(std::move(opened->store), std::move(opened->bodies), clock_,
                                                        store::Committer::Options{});
        here_.emplace(control::Surroundings{.committer = *committer_,
                                            .home = inbox_,
                                            .clock = clock_,
                                            .keyring = &keyring_,
                                            .random = &random_,
                                            .api_token = &api_token_});
    }
    void call(http::Request request) {
        control::Request call{.method = request.method, .target = request.target, .body = std::move(request.body)};
        std::optional<control::Response> response;
        context_.restart();
        asio::co_spawn(context_, control::handle(*here_, std::move(call)),
                       [&](const std::exception_ptr& thrown, control::Response answer) {
                           fuzz::expect(!thrown, "an answer is no exception");
                           response = std::move(answer);
                       });
        while (!response) {
            const bool stepped = committer_->step();
            const auto ran = context_.poll();
            context_.restart();
            fuzz::expect(stepped || ran > 0 || response, "a request is answered");
        }
        check(*response);
        fuzz::expect(!committer_->stats().stopped_by, "no caller stops the store");
    }

private:
    static void check(const control::Response& response) {
        http::Response wire;
        wire.status = static_cast<int>(response.status);
        wire.content_type = response.type;
        wire.body = response.body;
        fuzz::expect(http::head_of(wire, http::Persistence::keep_alive).has_value(), "an answer can be sent");
        if (response.type != "application/json" || response.body.empty()) return;
        boost::json::error_code wrong;
        boost::json::parse(response.body, wrong);
        fuzz::expect(!wrong, "what calls itself JSON is JSON");
    }

    SimulatedDisk disk_;
    SystemClock clock_;
    SeededRandom random_;
    secrets::Keyring keyring_{*secrets::Key::from_bytes(Secret(std::string(32, 'k'))), random_};
    std::unique_ptr<store::File> lock_;
    asio::io_context context_{1};
    queue::Inbox inbox_{context_.get_executor()};
    std::unique_ptr<store::Committer> committer_;
    control::ApiToken api_token_;
    std::optional<control::Surroundings> here_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    auto input = fuzz::text_of(bytes, size);
    std::optional<House> house;
    for (std::size_t at = 0; at < requests_max && !input.empty(); ++at) {
        http::RequestReader reader(http::Limits{});
        const auto used = reader.take_in(input);
        if (!used || !reader.finished()) break;
        input.remove_prefix(*used);
        auto request = reader.take();
        if (!request) break;
        if (!house) house.emplace();
        house->call(std::move(*request));
    }
    return 0;
}
