// The Chinese strings of feeds in the account dialog.
export default {
  'feed.about': '订阅器和地图程序可以通过秘密链接查看你的消息和一片海面。拿到链接的人能看到你在其中看到的内容。',
  'feed.none': '你还没有链接。',
  'feed.since': '链接创建于',
  'feed.make': '创建链接',
  'feed.renew': '重新创建链接',
  'feed.renewSure': '要重新创建链接吗？旧链接将失效。',
  'feed.renewYes': '重新创建',
  'feed.end': '撤销链接',
  'feed.endSure': '要撤销链接吗？使用它们的程序将无法继续工作。',
  'feed.endYes': '撤销',
  'feed.keep': '保留现有链接',
  'feed.inbox': '消息（Atom）',
  'feed.nearby': '当前视野内的漂流瓶（GeoJSON）',
  'feed.once': '请现在复制链接，之后不会再显示。',
  'feed.ended': '链接已撤销。',
};
