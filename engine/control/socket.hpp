#pragma once

#include <filesystem>
#include <memory>

#include "engine/control/routes.hpp"
#include "engine/runtime/scope.hpp"

namespace control {

/// The socket in the data folder through which the commands talk to the daemon: HTTP, mode 0600, no token: whoever may
/// open it may do everything. One shard.
class ControlSocket {
public:
    static constexpr std::size_t connections_max = 64;

    /// Binds and listens; a socket left by a crash is replaced (the store's lock says that nobody else serves it).
    /// Errors of the system: permissions, a path beyond 107 bytes (name_too_long).
    static Result<std::unique_ptr<ControlSocket>> listen(asio::any_io_executor shard, const std::filesystem::path& path,
                                                         Surroundings here, runtime::Scope::Report report);
    ~ControlSocket();  // removes the file; close() came first

    void start();
    awaitable<void> close();  // cuts what is under way

private:
    using Acceptor = asio::basic_socket_acceptor<asio::local::stream_protocol>;
    ControlSocket(Acceptor acceptor, std::filesystem::path path, Surroundings here, runtime::Scope::Report report);
    awaitable<void> accept();
    awaitable<void> serve(asio::local::stream_protocol::socket socket);

    Acceptor acceptor_;
    std::filesystem::path path_;
    Surroundings here_;
    runtime::Scope scope_;
};

}  // namespace control
