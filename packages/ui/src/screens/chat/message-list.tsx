import { ArrowDown } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { useChat } from "../../stores/stores.tsx";
import { AnswerAnnouncer } from "./answer-announcer.tsx";
import { AssistantMessage } from "./assistant-message.tsx";
import { UserMessage } from "./user-message.tsx";

/** As close to the end as counts as being there, CSS pixels. */
const END_SLACK = 48;

/**
 * The messages. Stays at the end while the reader is there, and where the reader is otherwise. Messages out of sight are
 * not laid out (content-visibility), which keeps long conversations light and the browser's own search working.
 */
export function MessageList() {
  const { t } = useTranslation("chat");
  const conversationId = useChat((state) => state.conversationId);
  const messages = useChat((state) => state.messages);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const stays = useRef(true);
  const [away, setAway] = useState(false);
  const lastQuestion = messages.findLast(({ role }) => role === "user")?.id;

  const toEnd = () => {
    stays.current = true;
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  };

  // A conversation opens at its end, and asking goes there.
  useLayoutEffect(toEnd, [conversationId, lastQuestion]);

  useEffect(() => {
    const element = content.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (stays.current) scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const onScroll = () => {
    const element = scroller.current;
    if (!element) return;
    stays.current = element.scrollHeight - element.scrollTop - element.clientHeight < END_SLACK;
    setAway(!stays.current);
  };

  return (
    <div className="relative min-h-0 flex-1">
      <div ref={scroller} onScroll={onScroll} className="h-full overflow-y-auto [overflow-anchor:none]">
        <div ref={content} className="mx-auto flex max-w-3xl flex-col gap-5 px-5 pt-2 pb-8">
          {messages.map((message) =>
            message.role === "user" ? (
              <UserMessage key={message.id} message={message} />
            ) : (
              <AssistantMessage key={message.id} message={message} />
            ),
          )}
        </div>
      </div>
      {away && (
        <div className="pointer-events-none absolute inset-x-0 bottom-2 flex justify-center">
          <Button
            size="small"
            icon={<ArrowDown aria-hidden="true" />}
            className="pointer-events-auto rounded-full! shadow-raised"
            onClick={toEnd}
          >
            {t("jumpToEnd")}
          </Button>
        </div>
      )}
      <AnswerAnnouncer />
    </div>
  );
}
