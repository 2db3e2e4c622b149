// 管理页面的中文文字。
export default {
  'admin.title': '漂流瓶：管理页面',
  'admin.sectionTitle': '漂流瓶：管理页面 · {name}',
  'admin.sections': '栏目',
  'admin.logIn': '请以管理员身份登录后查看此页面。',
  'admin.forbidden': '只有管理员可以查看此页面。',

  'admin.invitations': '邀请',
  'registration.save': '保存',
  'registration.saved': '已保存。',
  'registration.fixed': '由服务器的设置文件或环境变量决定：{mode}。',
};
