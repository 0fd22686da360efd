#include "protocols/smtp/data_reader.hpp"

namespace smtp {

DataReader::Read DataReader::read(std::string_view& input, std::string& mail) {
    while (!input.empty()) {
        const char c = input.front();
        switch (at_) {
            case At::line_begin:
                at_ = c == '.' ? At::dot : At::line;
                if (at_ == At::dot) input.remove_prefix(1);
                continue;
            case At::dot:  // it is taken off, or a part of the end
                at_ = c == '\r' ? At::dot_cr : At::line;
                if (at_ == At::dot_cr) input.remove_prefix(1);
                continue;
            case At::dot_cr:
                if (c == '\n') {
                    input.remove_prefix(1);
                    at_ = At::line_begin;
                    return Read::end;
                }
                mail += '\r';
                at_ = At::cr;
                continue;
            case At::cr:
                at_ = c == '\n' ? At::line_begin : At::line;
                if (c == '\n') {
                    mail += c;
                    input.remove_prefix(1);
                }
                continue;
            case At::line: {
                const auto cr = input.find('\r');
                const auto taken = input.substr(0, cr == std::string_view::npos ? cr : cr + 1);
                mail += taken;
                input.remove_prefix(taken.size());
                if (cr != std::string_view::npos) at_ = At::cr;
                continue;
            }
        }
    }
    return Read::more;
}

}  // namespace smtp
